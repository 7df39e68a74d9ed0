export type { Box, ClassName, Detection, Image8, LabelledBox, Preprocess } from "./types.ts";
export { decodeImage, defaultMaxPixels, encodeJpeg, encodePng, readImageHeader, readImageSize, type DecodeOptions, type ImageHeader } from "./image.ts";
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
export type { Dataset, DatasetItem, DatasetOptions, DatasetProblem, DatasetSpec, Split, UnlabelledPolicy } from "./datasets/dataset.ts";
export { canonicalClass, mapClasses } from "./datasets/classes.ts";
export { cocoClasses } from "./datasets/coco-names.ts";
export { datasetFingerprint } from "./datasets/fingerprint.ts";
export { groundTruthJson } from "./datasets/ground-truth.ts";
export { openDataset } from "./datasets/open.ts";
export { augmentDefaults, augmentSample, plainSample, type AugmentOptions, type NetworkSample } from "./augment.ts";
export { SampleCache, type Sample, type SampleCacheOptions, type SampleSource } from "./samples.ts";
export {
  boxForms, cellCount, classNames, coordinateKinds, decideHead, describeHead, headFamilies, recogniseHead,
  type BoxForm, type Coordinates, type DenseHead, type Head, type HeadFamily, type HeadQuestion, type HeadSettings, type RowsHead, type TableHead, type TensorInfo,
} from "./heads.ts";
export { decode, type Candidates, type CandidateOptions, type OutputTensor } from "./decode.ts";
export { byScore, nonMaximumSuppression, type NmsOptions } from "./nms.ts";
export { detect, evaluationOptions, predictionOptions, type DetectOptions } from "./detect.ts";
export { cocoAccuracy, type ClassAccuracy, type CocoAccuracy, type EvaluatedPicture } from "./coco-map.ts";
export { classColour, drawBoxes, type DrawnBox, type DrawOptions } from "./draw.ts";
