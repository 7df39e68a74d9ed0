import type { DeviceFacts, Finding, Requirement, TargetSettings } from "../kind.ts";
import { disk, heat, load, memory, wordSize } from "../linux/requirements.ts";
import type { JetsonFacts } from "./device.ts";
import type { JetsonSettings } from "./settings.ts";
import { releaseText } from "./version.ts";

/** Facts of a Jetson as `targets check` shows them. */
export const moreFacts = ({ jetpack, l4t, tensorrt, trtexec, powerMode, onnxruntime }: JetsonFacts): Record<string, string | null> => ({
  JetPack: jetpack, L4T: l4t ? `R${l4t.major}.${l4t.revision}` : null, TensorRT: tensorrt ? releaseText(tensorrt) : null, trtexec: trtexec?.path ?? null,
  "power mode": powerMode ? `${powerMode.name} (${powerMode.id})` : null, "onnxruntime (Python)": onnxruntime ? `${onnxruntime.version}: ${onnxruntime.providers.join(", ")}` : null,
});

const isJetson = (settings: TargetSettings): settings is JetsonSettings => settings.kind === "jetson";
const runsOrt = (settings: TargetSettings): boolean => isJetson(settings) && settings.runner === "onnxruntime";
const error = (what: string, fix: string): Finding => ({ severity: "error", what, fix });
const warning = (what: string, fix: string): Finding => ({ severity: "warning", what, fix });

const jetpack: Requirement = ({ more }) => (more["L4T"] === null ? warning("there is no /etc/nv_tegra_release: this may be no Jetson", "check the host of the target") : undefined);

const tensorrt: Requirement = ({ more }) => (more["TensorRT"] === null ? error("there is no TensorRT", "sudo apt-get install -y nvidia-jetpack") : undefined);

const trtexec: Requirement = ({ more }, settings) =>
  runsOrt(settings) || more["TensorRT"] === null || more["trtexec"] !== null ? undefined : error("there is no trtexec", "sudo apt-get install -y libnvinfer-bin");

const oldTensorrt: Requirement = ({ more }) => {
  const [major = 0, minor = 0] = (more["TensorRT"] ?? "").split(".").map(Number);
  return more["TensorRT"] === null || major > 8 || (major === 8 && minor >= 2) ? undefined : error(`TensorRT ${more["TensorRT"]} is older than 8.2`, "flash JetPack 4.6.1 or later");
};

const onnxruntime: Requirement = ({ more }, settings) => {
  if (!runsOrt(settings) || more["onnxruntime (Python)"]?.includes("TensorrtExecutionProvider")) return undefined;
  return error(more["onnxruntime (Python)"] === null ? "Python has no onnxruntime" : "Python's onnxruntime has no TensorRT provider", "install the onnxruntime-gpu wheel for this JetPack (elinux.org/Jetson_Zoo, or build it with --use_tensorrt)");
};

const powerMode: Requirement = ({ more }) => (more["power mode"] === null ? warning("nvpmodel does not answer: the power mode is unknown", "sudo apt-get install -y nvidia-l4t-nvpmodel") : undefined);

const clocks: Requirement = (facts: DeviceFacts, settings) =>
  (isJetson(settings) && settings.lockClocks) || facts.more["clocks"] === "locked" ? undefined : warning("the clocks are not locked", "edgestill bench --lock-clocks, or `lockClocks: true` in the target");

export const jetsonRequirements: readonly Requirement[] = [wordSize, jetpack, tensorrt, oldTensorrt, trtexec, onnxruntime, powerMode, clocks, disk, memory, heat, load];
