import type { Node, Value } from "../node.ts";

/** Axes of the weight of a layer. */
export interface WeightAxes {
  /** Counts output channels; those of one group for a ConvTranspose. */
  readonly output: number;
  /** Is summed over; the input channels of one group for a Conv. */
  readonly input: number;
}

const weightAxes: Readonly<Record<string, (node: Node, rank: number) => WeightAxes>> = {
  Conv: () => ({ output: 0, input: 1 }),
  ConvTranspose: () => ({ output: 1, input: 0 }),
  Gemm: (node) => (node.int("transB", 0) === 1 ? { output: 0, input: 1 } : { output: 1, input: 0 }),
  MatMul: (_, rank) => ({ output: rank - 1, input: rank - 2 }),
};

/** Layers: ops that multiply their input 0 by the weight in input 1 and may add a bias, input 2. */
export const layerOps: ReadonlySet<string> = new Set(Object.keys(weightAxes));

/** A layer by its op; its weight may be computed. */
export const isLayerOp = ({ opType, domain }: Node): boolean => domain === "" && layerOps.has(opType);

/** The axes of the weight of a layer, whose rank must be known for a MatMul. */
export const weightAxesOf = (layer: Node): WeightAxes => weightAxes[layer.opType]!(layer, layer.in(1).shape?.length ?? 0);

interface Learned {
  /** Input slots that hold what is learned: what counts as a parameter. */
  readonly slots: readonly number[];
  /** Those that training changes; all of them unless it says otherwise. */
  readonly trained?: readonly number[];
}

/** What each op learns. The statistics of a BatchNormalization are not learned. */
const learnedByOp: Readonly<Record<string, Learned>> = {
  Conv: { slots: [1, 2] },
  ConvTranspose: { slots: [1, 2] },
  Gemm: { slots: [0, 1, 2], trained: [1, 2] },
  MatMul: { slots: [0, 1] },
  BatchNormalization: { slots: [1, 2] },
  LayerNormalization: { slots: [1, 2] },
  PRelu: { slots: [1] },
  InstanceNormalization: { slots: [1, 2], trained: [] },
  GroupNormalization: { slots: [1, 2], trained: [] },
  Gather: { slots: [0], trained: [] },
  LSTM: { slots: [1, 2, 3], trained: [] },
  GRU: { slots: [1, 2, 3], trained: [] },
  RNN: { slots: [1, 2, 3], trained: [] },
  ConvInteger: { slots: [1], trained: [] },
  QLinearConv: { slots: [3, 8], trained: [] },
  MatMulInteger: { slots: [0, 1], trained: [] },
  QLinearMatMul: { slots: [0, 3], trained: [] },
};

const learnedBy = ({ opType }: Node): Learned => (Object.hasOwn(learnedByOp, opType) ? learnedByOp[opType]! : { slots: [] });

/** Input slots that hold what the node learned; those of a bias that is an Add after a MatMul too. */
export const learnedSlots = (node: Node): readonly number[] => (addsBias(node) ? [0, 1] : learnedBy(node).slots);

/** Input slots whose float32 initializers training changes. */
export const trainedSlots = (node: Node): readonly number[] => {
  const { slots, trained = slots } = learnedBy(node);
  return trained;
};

/** A vector added to a MatMul is its bias. */
const addsBias = (node: Node): boolean =>
  node.opType === "Add" && node.inputs.some((value) => value?.producer?.opType === "MatMul")
  && node.inputs.some((value) => value?.constant?.shape.length === 1);

/** What exporters put between a weight and its layer: the numbers stay, their order or type changes. */
const carriers: ReadonlySet<string> = new Set(["Transpose", "Reshape", "Cast", "Identity"]);

/** What quantizers put there. */
const quantizers: ReadonlySet<string> = new Set(["QuantizeLinear", "DequantizeLinear"]);

export const carriesWeight = ({ opType }: Node): boolean => carriers.has(opType) || quantizers.has(opType);

/** The constant behind a weight, seen through what exporters and quantizers put between. */
export const weightBehind = (value: Value): Value | undefined => {
  let source: Value | undefined = value;
  while (source && !source.constant) {
    const { producer }: Value = source;
    source = producer && carriesWeight(producer) ? producer.optionalIn(0) : undefined;
  }
  return source;
};
