import { UserError } from "../../graph/error.ts";

export const noCalibrationData = (): UserError =>
  new UserError("NO_CALIBRATION_DATA", "There are no calibration pictures: int8 ranges cannot be measured.",
    "give at least a few dozen pictures like those of the real use (quantize.images in the config, --data on the command line); ranges are never made up.");

export const nonFiniteActivation = (name: string): UserError =>
  new UserError("NON_FINITE_ACTIVATION", `The float model computes NaN or infinity in "${name}" on the calibration pictures.`,
    "check the model and the preprocess contract with `edgestill predict` before quantizing.");

export const wrongFeed = (name: string, picture: number, got: string, wanted: string): UserError =>
  new UserError("CALIBRATION_FEED", `Calibration picture ${picture + 1} gives input "${name}" ${got}, the model takes ${wanted}.`,
    "prepare the pictures with the model's preprocess contract (input.size in the config is the model's input size).");

export const patternMatchesNothing = (pattern: string, examples: readonly string[]): UserError =>
  new UserError("KEEP_FLOAT_PATTERN", `The keepFloat pattern "${pattern}" matches no node of the model.`,
    `patterns are globs on node names, such as "${examples[0] ?? "/model.22/*"}"; \`edgestill inspect\` lists the names.`);

export const nothingToQuantize = (name: string): UserError =>
  new UserError("NOTHING_TO_QUANTIZE", `No layer of "${name}" can run in int8: it has no Conv, Gemm or MatMul with constant weights outside the float set.`,
    "remove keepFloat patterns, or leave out the quantize stage for this model.");

export const int8Differs = (scheme: string, problem: string, layers: readonly string[]): UserError =>
  new UserError("INT8_DIFFERS", `The ${scheme} file does not compute in ONNX Runtime what it says, and no file was written: ${problem}.`,
    `keep layers float with keepFloat (--keep-float), beginning with ${layers.slice(0, 3).map((name) => `"${name}"`).join(", ") || "those before it"}; or quantize for the other runtime.`);

export const int8Dead = (scheme: string, reason: string): UserError =>
  new UserError("INT8_DEAD", `The ${scheme} file finds nothing, and no file was written: ${reason}.`,
    "calibrate on pictures like those of the real use, try --method entropy or minmax, or give --val so that sensitive layers become float.");

export const nonFiniteWeight = (node: string, weight: string): UserError =>
  new UserError("NON_FINITE_WEIGHT", `The weights "${weight}" of layer "${node}" hold NaN or infinity.`, "repair or retrain the float model: no int8 scale fits them.");

export const cannotQuantizeTwice = (node: string): UserError =>
  new UserError("ALREADY_QUANTIZED", `The model is quantized already: it contains ${node}.`, "quantize the float model that it was made from.");
