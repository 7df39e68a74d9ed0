import { Tensor } from "../../../graph/tensor.ts";
import type { GradientCase } from "../../helpers/gradient.ts";

const broadcasts = [[[2, 3], [2, 3]], [[2, 3], [3]], [[3], [2, 3]], [[2, 3], [2, 1]], [[2, 1, 3], [4, 1]], [[2, 3], []]] as const;
const positive = (shape: readonly number[]) => ({ shape, low: 0.5, high: 2 });
/** Values that keep away from every kink at a multiple of 0.5 by more than the step. */
const awayFromKinks = { shape: [2, 6], values: [-4.3, -3.2, -2.7, -1.3, -0.7, -0.2, 0.2, 0.7, 1.3, 2.7, 3.2, 4.3] };

type Input = GradientCase["inputs"][number];

const binary = (op: string, make: (shape: readonly number[]) => Input = (shape) => shape): GradientCase[] =>
  broadcasts.map(([left, right]) => ({ op, name: `[${left.join()}] with [${right.join()}]`, inputs: [make(left), make(right)] }));

const unary = (op: string, input: Input = awayFromKinks, attributes: NonNullable<GradientCase["attributes"]> = {}, opset = 17): GradientCase =>
  ({ op, name: JSON.stringify(attributes), inputs: [input], attributes, opset });

export const elementwiseCases: readonly GradientCase[] = [
  ...["Add", "Sub", "Mul"].flatMap((op) => binary(op)),
  ...binary("Div", positive), ...binary("Pow", positive),
  { op: "Add", name: "symbolic broadcast", inputs: [[2, 3], [2, 1]], symbolic: true },
  { op: "Mul", name: "symbolic rank broadcast", inputs: [[2, 3, 2], [3, 1]], symbolic: true },
  { op: "Mul", name: "square of one value", inputs: [[2, 3]], build: (b, [x]) => [b.mul(x!, x!)] },
  { op: "Mul", name: "SiLU", inputs: [[2, 3]], build: (b, [x]) => [b.silu(x!)] },
  { op: "Mul", name: "SiLU, sigmoid first and read elsewhere too", inputs: [[2, 3]], build: (b, [x]) => { const s = b.sigmoid(x!); return [b.mul(s, x!), b.exp(s)]; } },
  { op: "Mul", name: "gate of another value", inputs: [[2, 3], [2, 3]], build: (b, [x, z]) => [b.mul(z!, b.sigmoid(x!))] },
  ...[0, 1, 2, 3, 0.5, -1].map((exponent): GradientCase => ({ op: "Pow", name: `constant exponent ${exponent}`, inputs: [positive([2, 3]), Tensor.float32([], [exponent])] })),
  { op: "Pow", name: "integer exponent", inputs: [positive([2, 3]), Tensor.int64([], [3])] },
  { op: "Pow", name: "negative base, cube", inputs: [[2, 3], Tensor.float32([], [3])] },
  { op: "Sum", name: "three", inputs: [[2, 3], [3], [2, 1]] },
  { op: "Mean", name: "three", inputs: [[2, 3], [3], [2, 1]] },
  { op: "Max", name: "two", inputs: [{ shape: [4], values: [1, -2, 3, 0.5] }, { shape: [4], values: [0.5, -1, 4, 0] }] },
  { op: "Max", name: "three, broadcast", inputs: [[2, 3], [3], []] },
  { op: "Max", name: "one", inputs: [[2, 3]] },
  { op: "Max", name: "a tie is shared", inputs: [{ shape: [2], values: [1, 2] }, { shape: [2], values: [1, 0] }] },
  { op: "Min", name: "two", inputs: [{ shape: [4], values: [1, -2, 3, 0.5] }, { shape: [4], values: [0.5, -1, 4, 0] }] },
  { op: "Min", name: "three, broadcast", inputs: [[2, 3], [3], []] },
  { op: "Clip", name: "both limits", inputs: [awayFromKinks, Tensor.float32([], [-1]), Tensor.float32([], [1])] },
  { op: "Clip", name: "low limit, with gradient", inputs: [awayFromKinks, { shape: [], values: [-1] }, null] },
  { op: "Clip", name: "high limit, with gradient", inputs: [awayFromKinks, null, { shape: [], values: [1] }] },
  { op: "Clip", name: "no limit", inputs: [awayFromKinks] },
  { op: "Where", name: "same shapes", inputs: [Tensor.bool([2, 2], [true, false, false, true]), [2, 2], [2, 2]] },
  { op: "Where", name: "broadcast", inputs: [Tensor.bool([2, 1], [true, false]), [3], []] },
  { op: "Where", name: "scalars", inputs: [Tensor.bool([1], [true]), [], []] },
  unary("Neg"), unary("Abs"), unary("Exp", [2, 3]), unary("Sin"), unary("Cos"), unary("Tan", [2, 3]), unary("Sinh", [2, 3]), unary("Cosh", [2, 3]),
  unary("Atan"), unary("Asin", { shape: [4], low: -0.7, high: 0.7 }), unary("Acos", { shape: [4], low: -0.7, high: 0.7 }),
  unary("Reciprocal", positive([2, 3])), unary("Sqrt", positive([2, 3])), unary("Log", positive([2, 3])),
  { op: "Cast", name: "to double and back", inputs: [[2, 3]], build: (b, [x]) => [b.cast(b.mul(b.cast(x!, "float64"), b.scalar(3, "float64")), "float32")] },
  { op: "Cast", name: "an integer path adds nothing", inputs: [{ shape: [3], values: [0.3, 1.4, 2.6] }], build: (b, [x]) => [b.add(x!, b.cast(b.cast(x!, "int32"), "float32"))] },
  { op: "Identity", name: "plain", inputs: [[2, 3]] },
  { op: "Dropout", name: "inference", inputs: [[2, 3]] },
  { op: "Dropout", name: "training with ratio 0", inputs: [[2, 3], Tensor.float32([], [0]), Tensor.bool([], [true])], outputs: 2, lossOutputs: [0] },
];

export const activationCases: readonly GradientCase[] = [
  unary("Relu"), unary("LeakyRelu"), unary("LeakyRelu", awayFromKinks, { alpha: 0.3 }), unary("LeakyRelu", awayFromKinks, { alpha: 1.5 }),
  { op: "PRelu", name: "one slope", inputs: [awayFromKinks, [1]] },
  { op: "PRelu", name: "slope per channel", inputs: [[2, 3, 2], [3, 1]], seed: 5 },
  unary("Elu"), unary("Elu", awayFromKinks, { alpha: 0.7 }), unary("Selu"), unary("Selu", awayFromKinks, { alpha: 1.2, gamma: 0.9 }),
  unary("Celu"), unary("Celu", awayFromKinks, { alpha: 0.7 }),
  unary("Sigmoid"), unary("Tanh"), unary("HardSigmoid"), unary("HardSigmoid", awayFromKinks, { alpha: 0.4, beta: 0.3 }), unary("HardSwish"),
  unary("Mish", awayFromKinks, {}, 18), unary("Softplus"), unary("Softsign"), unary("Erf"),
  unary("Gelu", awayFromKinks, {}, 20), unary("Gelu", awayFromKinks, { approximate: "tanh" }, 20),
  ...[-1, 0, 1].flatMap((axis) => ["Softmax", "LogSoftmax"].map((op): GradientCase => ({ op, name: `axis ${axis}`, inputs: [[2, 3, 4]], attributes: { axis } }))),
];
