import { shownLines } from "../../escape/names.ts";
import { UserError } from "../../graph/error.ts";
import type { DeviceFacts } from "../kind.ts";
import type { Transport } from "../transport.ts";

/** One round trip: facts as lines "name=value". $1: the one Node.js to try. */
const probeScript = `
say() { printf '%s=%s\\n' "$1" "$2"; }
first() { for file in "$@"; do [ -r "$file" ] && tr -d '\\0' < "$file" | head -n 1 && return; done; }
say hostname "$(uname -n)"
say model "$(first /proc/device-tree/model /sys/class/dmi/id/product_name)"
say kernelArchitecture "$(uname -m)"
say realArchitecture "$(first /proc/sys/kernel/arch)"
say architecture "$(dpkg --print-architecture)"
say wordBits "$(getconf LONG_BIT)"
say os "$(. /etc/os-release; echo "$PRETTY_NAME")"
say kernel "$(uname -r)"
say cpu "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
say part "$(sed -n 's/^CPU part[^:]*: *//p' /proc/cpuinfo | head -n 1)"
say features "$(sed -n -e 's/^Features[^:]*: *//p' -e 's/^flags[^:]*: *//p' /proc/cpuinfo | head -n 1)"
say cores "$(nproc)"
say memoryKiB "$(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo)"
say freeMemoryKiB "$(sed -n 's/^MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo)"
folder=\${XDG_CACHE_HOME:-$HOME/.cache}; while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done
say freeDiskKiB "$(df -Pk -- "$folder" | awk 'NR == 2 { print $4 }')"
say load "$(cut -d ' ' -f 1 /proc/loadavg)"
say glibc "$(getconf GNU_LIBC_VERSION)"
cpu=/sys/devices/system/cpu/cpu0/cpufreq
say governor "$(first $cpu/scaling_governor)"
say clockKHz "$(first $cpu/scaling_cur_freq)"
say maxClockKHz "$(first $cpu/scaling_max_freq $cpu/cpuinfo_max_freq)"
say temperature "$(first /sys/class/thermal/thermal_zone0/temp)"
say throttled "$(vcgencmd get_throttled)"
say qemu "$QEMU_CPU$QEMU_LD_PREFIX"
say kept "$(cd -- "\${XDG_CACHE_HOME:-$HOME/.cache}/edgestill" && ls -d runtime-* runtime-*/runner-*.mjs | tr '\n' ' ')"
[ -n "$1" ] && set -- "$1" || set -- "$(command -v node)" /usr/local/bin/node /opt/node*/bin/node "$HOME"/.nvm/versions/node/*/bin/node "$HOME"/.volta/bin/node "$HOME"/.local/bin/node
seen=
for node in "$@"; do
  case "$seen" in *"|$node|"*) continue ;; esac
  seen="$seen|$node|"
  [ -x "$node" ] && say node "$("$node" -p 'process.version + " " + process.arch') $node"
done
true`;

/** Oldest Node.js that the runner works with (N-API 6, ES2022). */
export const oldestNode = 18;

export interface LinuxFacts extends DeviceFacts {
  /** process.arch of the Node.js that is used: what decides which ONNX Runtime fits. */
  readonly nodeArchitecture: string | null;
  /** What the cache folder has of runners: "runtime-<key>", "runtime-<key>/runner-<hash>.mjs". */
  readonly kept: readonly string[];
}

/** Facts of any Linux device. Throws UserError PROBE_FAILED where it is no Linux with the usual tools. */
export const probeLinux = async (transport: Transport, node: string | undefined, signal?: AbortSignal): Promise<LinuxFacts> => {
  const { stdout, stderr, exitCode } = await transport.script(probeScript, [node ?? ""], { signal, timeoutMs: 120_000 });
  if (exitCode !== 0 || !stdout.includes("kernelArchitecture=")) throw probeFailed(transport.label, stderr);
  return parseProbe(stdout, node);
};

/** Reads the lines of the probe; `wanted` is the one Node.js that the target names. */
export const parseProbe = (text: string, wanted?: string): LinuxFacts => {
  const pairs = shownLines(text).split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf("=");
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()]] : [];
  });
  const found = new Map(pairs.filter(([name]) => name !== "node"));
  const word = (name: string): string | null => found.get(name) || null;
  const number = (name: string, unit = 1): number | null => {
    const value = Number(word(name) ?? Number.NaN);
    return Number.isFinite(value) && Math.abs(value) < 2 ** 53 && (value >= 0 || name === "temperature") ? value / unit : null;
  };
  const node = chooseNode(pairs.filter(([name]) => name === "node").map(([, value]) => value), wanted);
  const kernelArchitecture = word("kernelArchitecture");
  const part = word("part");
  return {
    hostname: word("hostname"), model: word("model"), kernelArchitecture, architecture: word("architecture"), wordBits: number("wordBits"), os: word("os"), kernel: word("kernel"),
    cpu: word("cpu") ?? (part === null ? null : (coreNames[part] ?? `ARM part ${part}`)), cores: coresOf(number("cores")), cpuFeatures: (word("features")?.split(/\s+/) ?? []).filter((feature) => arithmetic.test(feature)),
    memoryBytes: number("memoryKiB", 1 / 1024), freeMemoryBytes: number("freeMemoryKiB", 1 / 1024), freeDiskBytes: number("freeDiskKiB", 1 / 1024), loadAverage: number("load"),
    glibc: word("glibc")?.replace("glibc ", "") ?? null, node: node && { path: node.path, version: node.version }, nodeArchitecture: node?.architecture ?? null, kept: word("kept")?.split(" ") ?? [],
    governor: word("governor"), clockMHz: number("clockKHz", 1000), maxClockMHz: number("maxClockKHz", 1000), temperatureC: number("temperature", 1000),
    throttledBits: /^throttled=(0x[0-9a-fA-F]+)$/.exec(word("throttled") ?? "")?.[1] ?? null,
    emulated: isEmulated(kernelArchitecture, word("realArchitecture"), word("qemu"), node?.architecture ?? null, word("model")), more: {},
  };
};

/** Of which a sweep measures each count. */
const mostCores = 4096;
const coresOf = (value: number | null): number | null => (value !== null && Number.isInteger(value) && value >= 1 && value <= mostCores ? value : null);

/** Features that decide how fast a network runs; x86 lists a hundred others. */
const arithmetic = /^(asimd|neon|vfp|fphp|sve|i8mm|bf16|sse4|avx|fma|amx)/;

/** CPU part numbers of Arm's cores on the boards that people have (Arm's MIDR_EL1 tables). */
const coreNames: Readonly<Record<string, string>> = {
  "0xd03": "Cortex-A53", "0xd08": "Cortex-A72", "0xd0b": "Cortex-A76", "0xd05": "Cortex-A55", "0xd42": "Cortex-A78AE", "0xd41": "Cortex-A78", "0xd0c": "Neoverse-N1", "0xd07": "Cortex-A57",
};

const chooseNode = (found: readonly string[], wanted: string | undefined): { readonly version: string; readonly architecture: string; readonly path: string } | null => {
  const nodes = found.flatMap((line) => {
    const match = /^(v\d+\S*) (\S+) (.+)$/.exec(line);
    return match && (wanted === undefined || match[3] === wanted) ? [{ version: match[1]!, architecture: match[2]!, path: match[3]! }] : [];
  });
  return nodes.find(({ version }) => majorOf(version) >= oldestNode) ?? nodes[0] ?? null;
};

export const majorOf = (version: string): number => Number(/^v?(\d{1,6})/.exec(version)?.[1] ?? 0);

const machineOf: Readonly<Record<string, string>> = { arm64: "aarch64", x64: "x86_64" };

/** qemu-user cannot hide the kernel's own architecture (/proc/sys/kernel/arch), nor a machine its virtual board. */
const isEmulated = (machine: string | null, real: string | null, qemu: string | null, nodeArchitecture: string | null, model: string | null): boolean =>
  qemu !== null || (real !== null && machine !== null && real !== machine && machine !== "armv7l" && machine !== "armv8l") ||
  (nodeArchitecture !== null && machine !== null && machine.startsWith("a") !== (machineOf[nodeArchitecture] ?? nodeArchitecture).startsWith("a")) || /qemu|dummy-virt/i.test(model ?? "");

const probeFailed = (label: string, stderr: string): UserError =>
  new UserError("PROBE_FAILED", `${label} does not answer like a Linux system${stderr.trim() === "" ? "" : `: ${stderr.trim().split("\n").at(-1)}`}.`, "targets are Linux devices with a POSIX shell; check what `ssh <host> uname -a` prints.");
