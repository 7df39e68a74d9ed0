import { UserError } from "../graph/error.ts";
import { Tensor, type DataType } from "../graph/tensor.ts";
import type { Session } from "../runtime/session.ts";
import type { OutputTensor } from "../vision/decode.ts";
import type { Preprocess } from "../vision/types.ts";

type Port = Session["inputs"][number];

/** The inputs of a detector: the picture, and small ones whose value follows from the network's size. */
export interface DetectorInputs {
  readonly picture: Port;
  readonly others: readonly Port[];
  /** Pictures that one run takes; null where it is free. */
  readonly batch: number | null;
}

/**
 * Second inputs that detectors are exported with, by name. A picture at the network's size is its own original, so
 * boxes come in network pixels.
 */
const knownInputs: Readonly<Record<string, (size: readonly [number, number]) => readonly number[]>> = {
  orig_target_sizes: ([width, height]) => [width, height], // RT-DETR, D-FINE, DEIM
  im_shape: ([width, height]) => [height, width], // PaddleDetection
  scale_factor: () => [1, 1], // PaddleDetection
};

const pictureTypes: readonly DataType[] = ["float32", "float16", "uint8"];

/**
 * Sorts the inputs. Throws UserError NOT_A_DETECTOR where there is no picture [N, 3, H, W], or another input that
 * is not known.
 */
export const detectorInputs = (label: string, inputs: Session["inputs"]): DetectorInputs => {
  const pictures = inputs.filter(({ shape }) => shape.length === 4);
  const [picture] = pictures;
  if (!picture || pictures.length !== 1) throw noPicture(label, inputs);
  const [batch, channels, , last] = picture.shape;
  if (channels !== 3 && last === 3) throw channelsLast(label, picture);
  if (typeof channels === "number" && channels !== 3) throw noPicture(label, inputs);
  if (!pictureTypes.includes(picture.dtype)) throw inputType(label, picture);
  const others = inputs.filter((input) => input !== picture);
  if (others.some(({ name }) => !Object.hasOwn(knownInputs, name))) throw noPicture(label, inputs);
  return { picture, others, batch: typeof batch === "number" && batch > 0 ? batch : null };
};

/** Feeds of one run: `values` are pictures [N, 3, H, W] as the contract makes them. */
export const feedsOf = (
  { picture, others }: DetectorInputs,
  values: Float32Array,
  { size: [width, height] }: Preprocess,
): Record<string, Tensor> => {
  const count = values.length / (3 * width * height);
  const shape = [count, 3, height, width];
  const feeds = {
    [picture.name]:
      picture.dtype === "float32" ? Tensor.of("float32", shape, values) : Tensor.from(picture.dtype, shape, values),
  };
  for (const { name, dtype } of others) {
    const value = knownInputs[name]!([width, height]);
    feeds[name] = Tensor.from(dtype, [count, value.length], Array.from({ length: count }, () => value).flat());
  }
  return feeds;
};

/** A picture of bytes holds 0..255 and nothing else. Throws UserError INPUT_TYPE. */
export const checkInputType = (label: string, { picture }: DetectorInputs, { scale, mean, std }: Preprocess): void => {
  const isPlain = scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
  if (picture.dtype === "uint8" && !isPlain) throw bytesScaled(label, picture);
};

/** Outputs as `decode` reads them: float32, or whole numbers. */
export const outputTensors = (results: Readonly<Record<string, Tensor>>): OutputTensor[] =>
  Object.entries(results).map(([name, tensor]) => {
    const { dtype, shape: dims } = tensor;
    if (dtype === "string") throw outputType(name);
    return {
      name,
      dims,
      data:
        dtype === "float32" || dtype === "int64" || dtype === "int32"
          ? (tensor.data as Float32Array)
          : Float32Array.from(tensor.toNumbers()),
    };
  });

const portText = ({ name, shape, dtype }: Port): string => `"${name}" ${dtype} [${shape.join(", ")}]`;

const noPicture = (label: string, inputs: Session["inputs"]): UserError =>
  new UserError(
    "NOT_A_DETECTOR",
    `${label} takes ${inputs.map(portText).join(", ") || "no input"}, not one colour picture [N, 3, H, W].`,
    `give a detector exported with one image input (beside it only ${Object.keys(knownInputs).join(", ")}).`,
  );

const channelsLast = (label: string, picture: Port): UserError =>
  new UserError(
    "NOT_A_DETECTOR",
    `${label} takes ${portText(picture)}: a picture with the channels last, [N, H, W, 3].`,
    "export it with the channels first, [N, 3, H, W] (tf2onnx: --inputs-as-nchw).",
  );

const inputType = (label: string, picture: Port): UserError =>
  new UserError(
    "INPUT_TYPE",
    `${label} takes ${portText(picture)}; pictures are given as ${pictureTypes.join(", ")}.`,
    "export it with a float32 input.",
  );

const bytesScaled = (label: string, picture: Port): UserError =>
  new UserError(
    "INPUT_TYPE",
    `${label} takes ${portText(picture)}: bytes 0..255, but its preprocess contract scales or normalizes them.`,
    "give a contract with scale 1, mean 0 and std 1 (--preprocess <file>), or export with a float32 input.",
  );

const outputType = (name: string): UserError =>
  new UserError(
    "OUTPUT_MISMATCH",
    `Output "${name}" holds text.`,
    "export the model with tensors of numbers as outputs.",
  );
