import { decimal, unreadableOutput } from "./errors.ts";

/** One line of tegrastats. */
export interface TegraSample {
  readonly ramUsedMB: number;
  readonly ramTotalMB: number;
  /** Load of each core; null for one that is off. */
  readonly cpuPercent: readonly (number | null)[];
  readonly gpuPercent: number | null;
  /** Clock of each GPU cluster, in MHz; empty where the line has none. */
  readonly gpuMHz: readonly number[];
  readonly emcMHz: number | null;
  /** By sensor in lower case; a sensor that is off is left out. */
  readonly temperatureC: Readonly<Record<string, number>>;
  /** Momentary power by rail. */
  readonly powerMW: Readonly<Record<string, number>>;
}

/** Below this a sensor reports that it is off (-256, -1000). */
const coldestC = -200;

/** What no board reaches: beyond it a figure is damage, and no figure of a report may be made of it. */
const most = { megabytes: 1e9, percent: 100, megahertz: 1e6, celsius: 1000, milliwatts: 1e8 } as const;

const within = (unit: keyof typeof most, text: string): number => {
  const value = Number(text);
  if (!(value <= most[unit])) throw unreadableOutput("tegrastats", text, `more than ${most[unit]} ${unit}, which no board has`);
  return value;
};

/**
 * Reads a line of tegrastats of JetPack 4 to 7: names it does not know are skipped, values may be `cur/avg[/max]`, with or without a unit.
 * Throws UserError DEVICE_OUTPUT where the memory or every sensor is missing, and for decimal commas.
 */
export const parseTegrastats = (line: string): TegraSample => {
  const ram = /\bRAM (\d+)\/(\d+)MB\b/.exec(line);
  if (!ram) throw unreadableOutput("tegrastats", line, "no `RAM used/totalMB`");
  const comma = /@-?\d+,\d+C|\d,\d+mW/.exec(line)?.[0];
  if (comma !== undefined) decimal("tegrastats", /\d+,\d+/.exec(comma)![0]);
  if (/@-?[\d.]*$/.test(line.trimEnd()) && !/_FREQ \d*%?@\d+$/.test(line.trimEnd())) throw unreadableOutput("tegrastats", line.slice(-60), "the line is cut off");
  const temperatureC = temperatures(line);
  const powerMW = rails(line);
  if (Object.keys(temperatureC).length + Object.keys(powerMW).length === 0) throw unreadableOutput("tegrastats", line, "neither temperatures nor power");
  const gpu = /\bGR3D_FREQ (?:(\d+)%)?(?:@(?:\[([\d,]*)\]|(\d+)))?/.exec(line);
  const emc = /\bEMC_FREQ (?:\d+%)?@(\d+)/.exec(line)?.[1];
  return {
    ramUsedMB: within("megabytes", ram[1]!), ramTotalMB: within("megabytes", ram[2]!), cpuPercent: cores(line), temperatureC, powerMW,
    gpuPercent: gpu?.[1] === undefined ? null : within("percent", gpu[1]),
    gpuMHz: (gpu?.[2] ?? gpu?.[3] ?? "").split(",").filter((text) => text !== "").map((text) => within("megahertz", text)),
    emcMHz: emc === undefined ? null : within("megahertz", emc),
  };
};

const cores = (line: string): (number | null)[] =>
  (/\bCPU \[([^\]]*)\]/.exec(line)?.[1] ?? "").split(",").filter((text) => text !== "").map((core) => {
    const percent = /^(\d+)%/.exec(core)?.[1];
    return percent === undefined ? null : within("percent", percent);
  });

/** `cpu@48.843C`, `GPU@40C`, `tj@52.9C/52.9C`. */
const temperatures = (line: string): Record<string, number> =>
  Object.fromEntries([...line.matchAll(/(?<=^|\s)([A-Za-z][\w-]*)@(-?\d+(?:\.\d+)?)C(?:\/-?\d+(?:\.\d+)?C)?(?=\s|$)/g)]
    .map(([, name, value]): [string, number] => [name!.toLowerCase(), within("celsius", value!)]).filter(([, celsius]) => celsius > coldestC));

/** `VDD_IN 6210mW/6203mW`, `POM_5V_IN 1750/1628`, three values on JetPack 7. */
const rails = (line: string): Record<string, number> =>
  Object.fromEntries([...line.matchAll(/(?<=^|\s)([A-Za-z]\w*) (\d+)(?:mW)?\/\d+(?:mW)?(?:\/\d+(?:mW)?)?(?=\s|$)/g)].map(([, name, value]) => [name!.toUpperCase(), within("milliwatts", value!)]));

/** Rails whose sum is what the module takes, most telling first; none of them is power at the wall. */
const totals: readonly (readonly string[])[] = [
  ["VDD_IN"], ["POM_5V_IN"], ["VIN"], ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"], ["GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"],
];

/** Power of the module; null for rails that are not known. */
export const modulePowerMW = ({ powerMW }: TegraSample): number | null => {
  const names = totals.find((rail) => rail.every((name) => name in powerMW));
  return names ? names.reduce((sum, name) => sum + powerMW[name]!, 0) : null;
};

/** The hottest of the sensors that throttle: tj where there is one, else the GPU. */
export const junctionC = ({ temperatureC }: TegraSample): number | null =>
  temperatureC["tj"] ?? temperatureC["gpu"] ?? temperatureC["cpu"] ?? null;
