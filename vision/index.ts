export type { Box, ClassName, Detection, Image8, LabelledBox, Preprocess } from "./types.ts";
export { decodeImage, defaultMaxPixels, encodeJpeg, encodePng, readImageSize, type DecodeOptions } from "./image.ts";
export { resizeBilinear, resizeInto, type Rectangle } from "./resize.ts";
export {
  clipBox,
  fit,
  letterbox8,
  parsePreprocess,
  preprocessPreset,
  preprocessPresets,
  preprocessSchema,
  serializePreprocess,
  toImage,
  toNetwork,
  toTensor,
  type Geometry,
  type PreprocessPreset,
} from "./preprocess.ts";
