import type { BundledModel } from "./input.ts";
import type { ModelRole } from "./manifest-schema.ts";

/** All names that a bundle gives to files: every file that a runtime caches under carries the hash, so that nothing stale is loaded. */
export interface Names {
  /** Run and hash: the folder, and the start of model file names. */
  readonly base: string;
  readonly run: string;
  readonly hash: string;
  /** The run's name as a C, CMake and ROS identifier. */
  readonly identifier: string;
}

export const namesOf = (run: string, hash: string): Names => ({ base: `${run}-${hash}`, run, hash, identifier: identifierOf(run) });

/** Lower case, every run of other characters than a-z0-9 one `_`, no digit first. */
export const identifierOf = (name: string): string => {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(plain) ? plain : `m_${plain}`;
};

const suffixes: Readonly<Record<ModelRole, string>> = { float: "float", "int8-cpu": "int8.cpu", "int8-tensorrt": "int8.tensorrt" };

export const modelFile = ({ base }: Names, role: ModelRole): string => `models/${base}.${suffixes[role]}.onnx`;

/** How C++ and the golden vectors call a model file. */
export const modelKey = (role: ModelRole): string => role.replace("-", "_");

export const floatModel = (models: readonly BundledModel[]): BundledModel => {
  const [first] = models;
  if (first?.role !== "float") throw new Error("bug: a bundle starts with its float model");
  return first;
};
