import { benchmarkRecord } from "../../../pipeline/result.ts";
import { checkedRecords } from "../../../targets/checked-records.ts";
import type { DeviceResult } from "../../../targets/device/job.ts";
import { runOnDevice } from "../../../targets/device/run.ts";
import { factsOf, sectionsOf } from "../../../targets/jetson/device.ts";
import { convolutionPrecision, parseLayerInfo, parseProfile, parseTimes } from "../../../targets/jetson/exports.ts";
import { failureOf, throughputOf } from "../../../targets/jetson/log.ts";
import { parseOrtResult } from "../../../targets/jetson/ort.ts";
import { parseClocks, parsePowerMode } from "../../../targets/jetson/power-mode.ts";
import { parseTegrastats } from "../../../targets/jetson/tegrastats.ts";
import { parseBanner, parsePackages, parseTegraRelease } from "../../../targets/jetson/version.ts";
import { parseProbe } from "../../../targets/linux/probe.ts";
import { recordOf } from "../../../targets/linux/record.ts";
import { findingsOf, linuxRequirements } from "../../../targets/linux/requirements.ts";
import type { Transport } from "../../../targets/transport.ts";
import { tegrastatsLines } from "../../targets/jetson/stand-ins/lines.js";
import { must, textOf, textSeed, type Kind } from "../kind.ts";
import { numbersOf } from "./models.ts";
import { mutateJson, mutateText } from "../text.ts";

const probe = Object.entries({
  hostname: "pi5",
  model: "Raspberry Pi 5 Model B Rev 1.0",
  kernelArchitecture: "aarch64",
  realArchitecture: "aarch64",
  architecture: "arm64",
  wordBits: "64",
  os: "Debian GNU/Linux 12 (bookworm)",
  kernel: "6.6.51+rpt",
  cpu: "",
  part: "0xd0b",
  features: "fp asimd asimddp",
  cores: "4",
  memoryKiB: "8245600",
  freeMemoryKiB: "7000000",
  freeDiskKiB: "20000000",
  load: "0.08",
  glibc: "glibc 2.36",
  governor: "performance",
  clockKHz: "2400000",
  maxClockKHz: "2400000",
  temperature: "48300",
  throttled: "throttled=0x0",
  qemu: "",
  node: "v18.20.4 arm64 /usr/bin/node",
})
  .map(([name, value]) => `${name}=${value}`)
  .join("\n");

const reply: DeviceResult = {
  kind: "result",
  warmup: 3,
  busyCores: 0.1,
  roundsMs: [
    [5, 5.1, 4.9],
    [5, 5.2, 5],
  ],
  endToEndMs: [7, 7.1],
  memoryBytes: 1e8,
  sensors: [
    { seconds: 0, temperatureC: 48, clockMHz: 2400, throttledBits: "0x0" },
    { seconds: 1, temperatureC: 50, clockMHz: 2400, throttledBits: "0x0" },
  ],
  soak: [{ seconds: 1, fps: 190, p99Ms: 6, temperatureC: 50, clockMHz: 2400 }],
  outputs: [{ name: "output0", dtype: "float32", shape: [1, 6, 84], bytes: 2016 }],
  node: "v18.20.4",
  onnxruntime: "1.30.0",
  architecture: "arm64",
};

const query = (start: number) => ({ startComputeMs: start, h2dMs: 0.1, computeMs: 4, d2hMs: 0.1, latencyMs: 4.2 });
const layer = (name: string, type: string, format: string) => ({
  Name: name,
  LayerType: type,
  Inputs: [{ Name: "x", "Format/Datatype": format }],
  Outputs: [{ Name: "y", "Format/Datatype": format }],
});
const ort = {
  loadSeconds: 1,
  providers: ["TensorrtExecutionProvider", "CPUExecutionProvider"],
  nodes: [{ provider: "TensorrtExecutionProvider", op: "Conv", name: "a" }],
  latencyMs: [4, 4.1],
  warmup: 3,
  version: "1.18.0",
};
const clocks =
  "cpu0: Online=1 Governor=schedutil MinFreq=729600 MaxFreq=1728000 CurrentFreq=1728000 IdleStates: WFI=1 c7=1\nGPU MinFreq=306000000 MaxFreq=1020000000 CurrentFreq=306000000\nEMC MinFreq=204000000 MaxFreq=3199000000 CurrentFreq=3199000000 FreqOverride=0\n";

/** A connection to a device that answers with the text, whatever it is asked. */
const answering = (text: string): Transport => {
  const script: Transport["script"] = (_script, _parameters, options) => {
    for (const line of text.split("\n")) options?.onLine?.(line, "stdout");
    return Promise.resolve({ exitCode: 0, stdout: text, stderr: "" });
  };
  return { label: "pi@pi5", script, run: () => script("") } as Partial<Transport> as Transport;
};

/** What a runner answers, as far as a record: every figure of it is a number. */
const replied = async (text: string): Promise<void> => {
  const job = {
    model: "m.onnx",
    awaited: null,
    session: {},
    batch: 1,
    runs: 6,
    seconds: 1,
    warmupSeconds: 1,
    soakSeconds: 0,
    detector: null,
    outputs: null,
  };
  const result = await runOnDevice(
    answering(text),
    { node: "node", runner: "runner.mjs", jobs: "/tmp/jobs", job, timeoutMs: 1000, label: "m.onnx on pi5" },
    {},
  );
  const record = recordOf({
    settings: { name: "pi5", kind: "linux", host: "pi@pi5" },
    facts: parseProbe(probe),
    model: { name: "m.onnx", path: "m.onnx", sha256: "0".repeat(64), precision: "float32" },
    threads: 4,
    batch: 1,
    result,
    againstHost: undefined,
    judge: () => [],
    emulated: false,
  });
  const [checked] = checkedRecords([record], "pi5");
  must(
    benchmarkRecord.safeParse(JSON.parse(JSON.stringify(checked))).success,
    "a device's answer makes a record that cannot be read back",
  );
};

const finite = (value: unknown): void => must(numbersOf(value).every(Number.isFinite), "a figure that is no number");

/** By seed: the answer, and what reads it. */
const answers: Readonly<Record<string, { readonly text: string; readonly read: (text: string) => unknown }>> = {
  probe: {
    text: probe,
    read: (text) => {
      const facts = parseProbe(text);
      findingsOf(linuxRequirements, facts, { name: "pi", kind: "linux", host: "pi@pi" });
      return facts;
    },
  },
  jetson: {
    text: "== release\n# R36 (release), REVISION: 4.7, GCID: 1, BOARD: generic\n== packages\nnvidia-jetpack 6.2+b77\n== power\nNV Power Mode: MAXN_SUPER\n2\n",
    read: (text) => factsOf(sectionsOf(text)),
  },
  release: { text: "# R36 (release), REVISION: 4.7, GCID: 1, BOARD: generic", read: parseTegraRelease },
  packages: { text: "nvidia-jetpack 6.2+b77\nlibnvinfer10 10.3.0.30-1+cuda12.5\n", read: parsePackages },
  banner: { text: "&&&& RUNNING TensorRT.trtexec [TensorRT v100600] [b26] # trtexec --help", read: parseBanner },
  power: { text: "NVPM WARN: fan mode is not set!\nNV Power Mode: MAXN_SUPER\n2\n", read: parsePowerMode },
  clocks: { text: clocks, read: parseClocks },
  tegrastats: { text: tegrastatsLines["orin-nano"]!, read: parseTegrastats },
  log: {
    text: "[01/01/2026-10:00:00] [I] Throughput: 251.3 qps\n&&&& PASSED TensorRT.trtexec [TensorRT v100600] # trtexec\n",
    read: (text) => {
      failureOf(text);
      return throughputOf(text);
    },
  },
  "times.json": { text: JSON.stringify([query(0), query(5)]), read: (text) => parseTimes(text, 200) },
  "profile.json": {
    text: JSON.stringify([{ count: 10 }, { name: "a", timeMs: 1.5, averageMs: 0.15, percentage: 12.5 }]),
    read: parseProfile,
  },
  "layers.json": {
    text: JSON.stringify({
      Layers: [layer("a", "CaskConvolution", "Int8 NC/32HW32"), layer("b", "CaskConvolution", "Half")],
    }),
    read: (text) => convolutionPrecision(parseLayerInfo(text)),
  },
  "ort.json": { text: JSON.stringify(ort), read: parseOrtResult },
  "reply.json": { text: JSON.stringify(reply), read: replied },
  "failed.json": {
    text: JSON.stringify({
      kind: "failed",
      code: "RUN_FAILED",
      message: "the model does not run",
      nextStep: "look at it",
    }),
    read: replied,
  },
};

export const devices: Kind = {
  name: "devices",
  about:
    "what devices answer: probes, sensors, TensorRT's files and logs, the runner's replies; every figure read is a number",
  share: 250,
  seeds: () =>
    Object.entries(answers)
      .filter(([name]) => name !== "failed.json")
      .map(([name, { text }]) => textSeed(name, text)),
  mutate: ({ name, bytes }, random) => (name.endsWith(".json") ? mutateJson : mutateText)(bytes, random),
  open: () => async (input) => finite(await answers[input.name]!.read(textOf(input))),
};
