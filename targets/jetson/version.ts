import type { TensorrtVersion } from "./check/finding.ts";
import { unreadableOutput } from "./errors.ts";

/** A TensorRT release, 10.3.0. */
export interface TensorrtRelease extends TensorrtVersion {
  readonly patch: number;
}

export const releaseText = ({ major, minor, patch }: TensorrtRelease): string => `${major}.${minor}.${patch}`;

/**
 * Release in the first line of trtexec: `&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # …`, later with a build as `[b26]` behind it.
 * 8.x counts major·1000 + minor·100 + patch, 10.0 and later major·10000 + minor·100 + patch. Throws UserError DEVICE_OUTPUT.
 */
export const parseBanner = (text: string): TensorrtRelease => {
  const line = text.split("\n").find((candidate) => candidate.includes("&&&& RUNNING TensorRT.trtexec")) ?? "";
  const code = /\[TensorRT v(\d+)\]/.exec(line)?.[1];
  if (code === undefined) throw unreadableOutput("trtexec", line === "" ? text.slice(0, 200) : line, "its first line names no TensorRT version");
  const number = Number(code);
  const unit = code.length <= 4 ? 1000 : 10_000;
  return { major: Math.floor(number / unit), minor: Math.floor((number % unit) / 100), patch: number % 100 };
};

/** Options that `trtexec --help` lists, each with its dashes; empty where it lists none. */
export const parseHelp = (text: string): ReadonlySet<string> => new Set(text.match(/(?<=^\s*)--[A-Za-z0-9]+/gm) ?? []);

export interface L4tRelease {
  /** 36 of R36. */
  readonly major: number;
  /** "4.7" of REVISION: 4.7. */
  readonly revision: string;
}

/** /etc/nv_tegra_release: `# R36 (release), REVISION: 4.7, GCID: …`. Throws UserError DEVICE_OUTPUT. */
export const parseTegraRelease = (text: string): L4tRelease => {
  const match = /^#\s*R(\d{1,6})\s*\(release\),\s*REVISION:\s*(\d+(?:\.\d+)*)(?=[,\s])/m.exec(text);
  if (!match) throw unreadableOutput("/etc/nv_tegra_release", text, "no release and revision");
  return { major: Number(match[1]), revision: match[2]! };
};

/** JetPack by L4T release, newest revision first. */
const jetpacks: readonly (readonly [l4t: number, revision: number, jetpack: string])[] = [
  [39, 2, "7.2"], [38, 0, "7.0"], [36, 4.3, "6.2"], [36, 4, "6.1"], [36, 3, "6.0"], [36, 2, "6.0 DP"], [35, 5, "5.1.3"], [35, 4, "5.1.2"], [35, 3, "5.1.1"], [35, 2, "5.1"], [35, 1, "5.0.2"], [32, 7, "4.6.1"], [32, 6, "4.6"],
];

/** JetPack that an L4T release belongs to, "6.2"; undefined for one that is not known here. */
export const jetpackOf = ({ major, revision }: L4tRelease): string | undefined => {
  const number = Number.parseFloat(revision);
  return jetpacks.find(([l4t, from]) => l4t === major && number >= from)?.[2];
};

export interface Packages {
  readonly jetpack: string | undefined;
  readonly tensorrt: TensorrtRelease | undefined;
}

/** Lines `package version` of dpkg-query: JetPack and TensorRT as installed. A line that is none is no matter: dpkg speaks about missing packages there. */
export const parsePackages = (text: string): Packages => {
  const versions = new Map(text.split("\n").map((line) => line.trim().split(/\s+/)).filter((words) => words.length === 2).map(([name, version]) => [name!, version!]));
  const library = [...versions].find(([name, version]) => (/^(lib)?nvinfer\d+$/.test(name) || name === "tensorrt") && /^\d+\.\d+\.\d+/.test(version))?.[1];
  const match = library === undefined ? undefined : /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(library);
  return {
    jetpack: versions.get("nvidia-jetpack")?.replace(/-.*|\+.*/, ""),
    tensorrt: match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) } : undefined,
  };
};
