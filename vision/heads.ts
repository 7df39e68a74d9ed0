/** Detector heads: what the outputs of a model mean. One row a layout in heads/layouts.ts. */
export { describeHead } from "./heads/describe.ts";
export { cellCount } from "./heads/grid.ts";
export { layouts } from "./heads/layouts.ts";
export { classNames } from "./heads/names.ts";
export { decideHead, likeliestLayout, recogniseHead, recogniseLayout, type DecidedHead } from "./heads/recognise.ts";
export { parseHead, serializeHead } from "./heads/saved.ts";
export {
  boxForms,
  coordinateKinds,
  headFamilies,
  type BoxForm,
  type Coordinates,
  type DenseHead,
  type Head,
  type HeadFamily,
  type HeadQuestion,
  type HeadSettings,
  type RowsHead,
  type TableHead,
  type TensorInfo,
} from "./heads/types.ts";
