import { unreadableOutput } from "./errors.ts";

export interface PowerMode {
  /** "MAXN_SUPER", "15W". */
  readonly name: string;
  readonly id: number;
}

/** `nvpmodel -q`: "NV Power Mode: MAXN_SUPER", its number on the next line, warnings and the fan's mode around them. Throws UserError DEVICE_OUTPUT. */
export const parsePowerMode = (text: string): PowerMode => {
  const lines = text.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => /^NV Power Mode:/.test(line));
  const name = at < 0 ? "" : lines[at]!.replace(/^NV Power Mode:\s*/, "");
  if (name === "") throw unreadableOutput("nvpmodel -q", text, "no `NV Power Mode:`");
  const id = lines.slice(at + 1).find((line) => line !== "");
  if (id === undefined || !/^\d{1,6}$/.test(id)) throw unreadableOutput("nvpmodel -q", id ?? text, "no mode number behind `NV Power Mode:`");
  return { name, id: Number(id) };
};

export interface ClockRange {
  readonly minHz: number;
  readonly maxHz: number;
  readonly currentHz: number;
}

export interface ClockState {
  readonly gpu: ClockRange;
  /** Memory controller; null where the tool does not list it. */
  readonly emc: ClockRange | null;
  /** Governor of the first core. */
  readonly governor: string | null;
  /** The clocks stand at their maximum and stay there. */
  readonly locked: boolean;
}

/** `jetson_clocks --show`; locked where the GPU's minimum is its maximum and the memory is overridden or pinned. Throws UserError DEVICE_OUTPUT. */
export const parseClocks = (text: string): ClockState => {
  const lines = text.split("\n").map((line) => line.trim());
  const gpu = rangeOf(lines.find((line) => /^GPU\b.*MinFreq/.test(line)));
  if (!gpu) throw unreadableOutput("jetson_clocks --show", text, "no line of the GPU with MinFreq, MaxFreq and CurrentFreq");
  const emcLine = lines.find((line) => line.startsWith("EMC "));
  const emc = rangeOf(emcLine) ?? null;
  const override = /FreqOverride=(\d)/.exec(emcLine ?? "")?.[1];
  const governor = /^cpu\d+:.*\bGovernor=(\S+)/m.exec(text)?.[1] ?? null;
  return { gpu, emc, governor, locked: gpu.minHz === gpu.maxHz && (emc === null || override === "1" || (override === undefined && emc.minHz === emc.maxHz)) };
};

/** No clock of a board is as fast. */
const fastestHz = 1e11;

const rangeOf = (line: string | undefined): ClockRange | undefined => {
  const value = (name: string): number | undefined => {
    const match = line === undefined ? null : new RegExp(`\\b${name}=(\\d+)(?=\\s|$)`).exec(line);
    const hz = match ? Number(match[1]) : undefined;
    if (hz !== undefined && hz > fastestHz) throw unreadableOutput("jetson_clocks --show", line ?? "", `${name} is no clock of a board`);
    return hz;
  };
  const [minHz, maxHz, currentHz] = [value("MinFreq"), value("MaxFreq"), value("CurrentFreq")];
  return minHz === undefined || maxHz === undefined || currentHz === undefined ? undefined : { minHz, maxHz, currentHz };
};
