import { shownLines } from "../../escape/names.ts";
import { UserError } from "../../graph/error.ts";
import type { Transport } from "../transport.ts";
import type { Trtexec } from "./command.ts";
import { parsePowerMode, type PowerMode } from "./power-mode.ts";
import { jetpackOf, parseBanner, parseHelp, parsePackages, parseTegraRelease, type L4tRelease, type TensorrtRelease } from "./version.ts";

/** Places where trtexec lies off the PATH: JetPack's, and those of archives. */
const trtexecPlaces = ["/usr/src/tensorrt/bin/trtexec", "/opt/tensorrt/bin/trtexec", "/usr/local/tensorrt/bin/trtexec"];

/** Sections `== name` with what each tool prints; a tool that is missing leaves its section empty. */
const script = `
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
echo "== release"; cat /etc/nv_tegra_release 2>/dev/null
echo "== model"; tr -d '\\0' < /proc/device-tree/model 2>/dev/null; echo
echo "== compatible"; tr '\\0' ' ' < /proc/device-tree/compatible 2>/dev/null; echo
echo "== packages"; dpkg-query -W -f '\${Package} \${Version}\\n' nvidia-jetpack tensorrt 'libnvinfer[0-9]*' 2>/dev/null
echo "== trtexec"; trtexec=$(command -v trtexec) || for place in "$@"; do [ -x "$place" ] && trtexec=$place && break; done; echo "$trtexec"
echo "== help"; [ -n "$trtexec" ] && timeout 60 "$trtexec" --help 2>&1
echo "== power"; timeout 20 nvpmodel -q 2>/dev/null
echo "== python"; timeout 60 python3 -c 'import onnxruntime as o; print(o.__version__, ",".join(o.get_available_providers()))' 2>/dev/null
echo "== overcurrent"; grep -s . /sys/class/hwmon/hwmon*/oc*_event_cnt
exit 0`;

/** What only a Jetson has; null where the device does not say. */
export interface JetsonFacts {
  readonly l4t: L4tRelease | null;
  readonly jetpack: string | null;
  readonly model: string | null;
  /** Module and chip of the device tree, "nvidia,p3767-0003 nvidia,tegra234": what an engine is bound to. */
  readonly compatible: string | null;
  readonly tensorrt: TensorrtRelease | null;
  readonly trtexec: Trtexec | null;
  readonly powerMode: PowerMode | null;
  /** ONNX Runtime of Python and its providers. */
  readonly onnxruntime: { readonly version: string; readonly providers: readonly string[] } | null;
  /** Over-current events since the start, by counter. */
  readonly overCurrent: Readonly<Record<string, number>>;
}

/** One round trip. Throws UserError DEVICE_OUTPUT where a tool is there but prints what no known version does. */
export const readJetson = async (transport: Transport, signal?: AbortSignal): Promise<JetsonFacts> => {
  const { stdout } = await transport.script(script, trtexecPlaces, { signal, timeoutMs: 180_000 });
  return factsOf(sectionsOf(shownLines(stdout)));
};

/** Over-current events since the start, by counter. */
export const readOverCurrent = async (transport: Transport): Promise<Readonly<Record<string, number>>> =>
  counters((await transport.script("grep -s . /sys/class/hwmon/hwmon*/oc*_event_cnt; exit 0")).stdout);

/** Facts from the sections of the probe. */
export const factsOf = (section: (name: string) => string): JetsonFacts => {
  const l4t = section("release") === "" ? null : parseTegraRelease(section("release"));
  const packages = parsePackages(section("packages"));
  const path = section("trtexec");
  const banner = path === "" ? null : parseBanner(section("help"));
  return {
    l4t, jetpack: packages.jetpack ?? (l4t ? (jetpackOf(l4t) ?? null) : null), model: section("model") || null, compatible: section("compatible") || null,
    tensorrt: banner ?? packages.tensorrt ?? null,
    trtexec: banner ? { path, version: banner, options: parseHelp(section("help")) } : null,
    powerMode: section("power") === "" ? null : parsePowerMode(section("power")),
    onnxruntime: onnxruntimeOf(section("python")), overCurrent: counters(section("overcurrent")),
  };
};

/** Text behind `== name`, trimmed; empty where there is none. */
export const sectionsOf = (text: string): ((name: string) => string) => {
  const sections = new Map(text.split(/^== (?=\w+$)/m).slice(1).map((part): [string, string] => {
    const end = part.indexOf("\n");
    return [part.slice(0, end), part.slice(end + 1).trim()];
  }));
  return (name) => sections.get(name) ?? "";
};

const onnxruntimeOf = (text: string): JetsonFacts["onnxruntime"] => {
  const match = /^(\S+) (\S+)$/.exec(text);
  return match ? { version: match[1]!, providers: match[2]!.split(",") } : null;
};

const counters = (text: string): Record<string, number> =>
  Object.fromEntries([...text.matchAll(/(oc\d+)_event_cnt:(\d+)/g)].map(([, name, events]) => [name!, Number(events)]));

/** The trtexec of a device. Throws UserError TRTEXEC_MISSING. */
export const trtexecOf = (label: string, { trtexec, tensorrt }: JetsonFacts): Trtexec => {
  if (!trtexec) throw trtexecMissing(label, tensorrt !== null);
  return trtexec;
};

const trtexecMissing = (label: string, hasTensorrt: boolean): UserError =>
  new UserError("TRTEXEC_MISSING", `${label} has no trtexec${hasTensorrt ? ", though TensorRT is there" : ", and no TensorRT"}.`,
    hasTensorrt ? "`sudo apt install libnvinfer-bin` on the device." : "`sudo apt install nvidia-jetpack` on the device.");
