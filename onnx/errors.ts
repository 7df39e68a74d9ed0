import { UserError } from "../graph/error.ts";

export const notOnnx = (source: string, why: string, cause?: unknown) =>
  new UserError("NOT_ONNX", `${source} is not a readable ONNX model: ${why}.`,
    "check that the file is complete and was exported as .onnx.", { cause });

export const unsupportedOnnx = (source: string, what: string) =>
  new UserError("UNSUPPORTED_ONNX", `${source} uses ${what}, which would change its meaning if it were dropped.`,
    "export the model again without it.");

export const badExternalData = (source: string, tensor: string, why: string) =>
  new UserError("EXTERNAL_DATA", `${source}: the external data of "${tensor}" ${why}.`,
    "keep the data files in the model's folder, complete, and refer to them by relative paths.");

export const cannotReadModel = (path: string, cause: unknown) =>
  new UserError("MODEL_FILE", `Cannot read the model ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`,
    "check the path and the permissions.", { cause });
