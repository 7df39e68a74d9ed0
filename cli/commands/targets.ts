import type { Command } from "commander";
import { UserError } from "../../graph/error.ts";
import { bytes } from "../../report/figures.ts";
import type { DeviceEntry, TargetEntry } from "../../targets/inventory.ts";
import type { DeviceFacts, Finding, Probe } from "../../targets/kind.ts";
import { action } from "../context.ts";
import { addNoCode, type TrustOptions } from "../no-code.ts";
import { columnsOf } from "../terminal-text.ts";
import { largest } from "../../input/largest.ts";

interface Options extends TrustOptions {
  readonly targets?: string;
}

const examples = `
Examples:
  edgestill targets list
  edgestill targets check pi5
  edgestill targets check pi@pi5.local --json
  edgestill targets clean pi5 orin`;

/** `targets list | check | clean`. */
export const addTargets = (program: Command): Command => {
  const targets = program.command("targets").summary("devices: list, check, clean").description("The devices that benchmarks run on, from targets.yaml or any config with targets.").addHelpText("after", examples);
  const sub = (name: string, summary: string, work: Parameters<typeof action<[string[]], Options>>[0]): void => {
    addNoCode(targets.command(name)).summary(summary).description(summary).argument("[name...]", "names of the inventory, or user@host; default all")
      .option("--targets <file>", "inventory; default targets.yaml here").option("--json", "print the result as JSON, alone on stdout").option("--verbose", "print stack traces with errors")
      .addHelpText("after", examples).exitOverride().action(action<[string[]], Options>(work));
  };
  sub("list", "what the inventory holds", async ({ result }, [names], options) => {
    const { isDevice, nameOf } = await inventory();
    const entries = await entriesOf(names, options);
    result(entries, () => entries.map((entry) => (isDevice(entry) ? `${entry.name}: ${entry.kind} at ${entry.host}` : `${nameOf(entry)}: this machine`)).join("\n"));
    return 0;
  });
  sub("check", "whether each device can be reached and measured, and what it lacks", async ({ result, reporter, signal }, [names], options) => {
    const devices = await devicesOf(names, options);
    const checked: Checked[] = [];
    for (const device of devices) {
      reporter.line(`checking ${device.name} (${device.host}) …`);
      checked.push(await check(device, signal));
    }
    result(checked, () => checked.map(describe).join("\n\n"));
    return checked.some(({ ready }) => !ready) ? 1 : 0;
  });
  sub("clean", "removes everything that Edgestill keeps on devices", async ({ result, signal }, [names], options) => {
    const [devices, { cleanTarget }] = [await devicesOf(names, options), await import("../../targets/open.ts")];
    const cleaned: { readonly name: string; readonly freedBytes: number }[] = [];
    for (const device of devices) cleaned.push({ name: device.name, freedBytes: await cleanTarget(device, signal) });
    result(cleaned, () => cleaned.map(({ name, freedBytes }) => `${name}: ${bytes(freedBytes)} removed`).join("\n"));
    return 0;
  });
  return targets;
};

const inventory = () => import("../../targets/inventory.ts");

const entriesOf = async (names: readonly string[], { targets, code }: Options): Promise<TargetEntry[]> => {
  const { chooseTargets, findInventory } = await inventory();
  const entries = await findInventory(targets, { allowCode: code });
  return names.length > 0 ? chooseTargets(entries, names) : entries;
};

const devicesOf = async (names: readonly string[], options: Options): Promise<DeviceEntry[]> => {
  const { isDevice } = await inventory();
  const devices = (await entriesOf(names, options)).filter(isDevice);
  if (devices.length === 0) throw noDevices();
  return devices;
};

interface Checked {
  readonly name: string;
  readonly kind: string;
  readonly host: string;
  readonly reachable: boolean;
  /** Nothing stands in the way of a benchmark. */
  readonly ready: boolean;
  readonly facts: DeviceFacts | null;
  readonly findings: readonly Finding[];
}

/** An unreachable device is an answer, not a failure of the check. */
const check = async (device: DeviceEntry, signal: AbortSignal): Promise<Checked> => {
  const { name, kind, host } = device;
  const { probeTarget } = await import("../../targets/open.ts");
  const answer = await probeTarget(device, signal).catch((error: unknown): Probe & { readonly unreachable: true } => {
    if (!(error instanceof UserError) || !/^(SSH_|CONNECTION_LOST|PROBE_FAILED)/.test(error.code)) throw error;
    return { unreachable: true, facts: null as never, findings: [{ severity: "error", what: error.message, fix: error.nextStep }] };
  });
  const reachable = !("unreachable" in answer);
  return { name, kind, host, reachable, ready: answer.findings.every(({ severity }) => severity !== "error"), facts: reachable ? answer.facts : null, findings: answer.findings };
};

const describe = ({ name, kind, host, ready, facts, findings }: Checked): string => {
  const rows = (facts ? factRows(facts) : []).filter((row): row is [string, string] => row[1] !== null);
  const labels = largest(rows.map(([label]) => columnsOf(label)));
  return [
    `${name} (${kind}, ${host}): ${ready ? "ready" : "not ready"}`, ...rows.map(([label, value]) => `  ${label}${" ".repeat(labels - columnsOf(label))}  ${value}`),
    ...findings.map(({ severity, what, fix }) => `  ${severity}: ${what}\n    → ${fix}`),
  ].join("\n");
};

const factRows = (facts: DeviceFacts): [string, string | null][] => [
  ["board", facts.model], ["system", [facts.os, facts.kernel].filter((text) => text !== null).join(", ")],
  ["userland", facts.architecture === null && facts.wordBits === null ? null : `${facts.architecture ?? "?"}, ${facts.wordBits ?? "?"} bits (kernel ${facts.kernelArchitecture ?? "?"})`],
  ["CPU", [facts.cpu, facts.cores === null ? null : `${facts.cores} cores`].filter((text) => text !== null).join(", ")],
  ["int8 dot product", facts.kernelArchitecture === "aarch64" ? (facts.cpuFeatures.includes("asimddp") ? "yes (asimddp)" : "no") : null],
  ["memory", facts.memoryBytes === null ? null : `${bytes(facts.memoryBytes)}${facts.freeMemoryBytes === null ? "" : `, ${bytes(facts.freeMemoryBytes)} free`}`],
  ["disk", facts.freeDiskBytes === null ? null : `${bytes(facts.freeDiskBytes)} free`], ["glibc", facts.glibc], ["Node.js", facts.node ? `${facts.node.version} (${facts.node.path})` : "none"],
  ["governor", facts.governor], ["clock", facts.clockMHz === null ? null : `${facts.clockMHz.toFixed(0)} MHz${facts.maxClockMHz === null ? "" : ` of ${facts.maxClockMHz.toFixed(0)}`}`],
  ["temperature", facts.temperatureC === null ? null : `${facts.temperatureC.toFixed(1)} °C`], ["firmware", facts.throttledBits], ["load", facts.loadAverage === null ? null : String(facts.loadAverage)],
  ["emulated", facts.emulated ? "yes: times are not a device's" : null], ...Object.entries(facts.more),
];

const noDevices = (): UserError => new UserError("NO_DEVICES", "There is no device to look at.", "write targets.yaml (- {name: pi5, kind: rpi, host: pi@pi5.local}) or give user@host.");
