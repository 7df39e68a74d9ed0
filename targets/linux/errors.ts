import { UserError } from "../../graph/error.ts";
import type { Finding } from "../kind.ts";

export const cannotMeasure = (name: string, findings: readonly Finding[]): UserError => {
  const errors = findings.filter(({ severity }) => severity === "error");
  return new UserError("TARGET_NOT_READY", `Target "${name}" cannot run a benchmark: ${errors.map(({ what }) => what).join("; ")}.`, errors.map(({ fix }) => fix).join("; then: "));
};

export const otherArchitecture = (name: string, architecture: string | null): UserError =>
  new UserError("TARGET_NOT_READY", `Target "${name}": Node.js there is built for ${architecture ?? "an unknown architecture"}.`, "ONNX Runtime travels to arm64 and x64; install a 64-bit Node.js there.");
