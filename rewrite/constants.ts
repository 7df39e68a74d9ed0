import { hasOp, type Graph } from "../graph/graph.ts";
import type { Dim, Node, Value } from "../graph/node.ts";
import { inferShapes, partialValue, type Memo } from "../graph/shapes.ts";
import { elementCount, Tensor } from "../graph/tensor.ts";
import { removeDead } from "../graph/dead.ts";
import { applyUntilStable, graphPass, rule, runOnOwn, sequence, substitute, type Change, type Pass, type PassResult } from "./rule.ts";

/** Runs a graph without inputs; the contents of its outputs by name (runtime/session.ts `runOnce(graph, {})` is one). */
export type Evaluate = (graph: Graph) => Promise<Readonly<Record<string, Tensor>>>;

/** Tensors bigger than this are not made by folding: the file would grow. */
const mostElements = 1 << 20;

/**
 * Constant nodes become initializers; so does the Identity of one, as PyTorch's exporter writes parameters that happen to be equal.
 */
export const constantsToInitializers: Pass = graphPass("constants-to-initializers", (graph) => {
  const applied: Change[] = [];
  for (const node of graph.sorted()) {
    const source = node.domain === "" ? { Constant: node.outputs[0], Identity: node.inputs[0] }[node.opType] : undefined;
    const tensor = source?.constant;
    if (!tensor || graph.isOutput(node.out())) continue;
    graph.replaceAllUses(node.out(), graph.addInitializer(node.out().name, tensor));
    graph.removeNode(node);
    applied.push({ rule: "constant-to-initializer", node: node.name, detail: tensor.dtype });
  }
  return { applied };
});

/** CastLike to a type that is known is a Cast. */
export const castLikeToCast: Pass = graphPass("cast-like", (graph) => {
  if (!hasOp(graph, "CastLike")) return {};
  inferShapes(graph);
  return applyUntilStable(graph, [castLike]);
});

/** Fills in types and shapes. */
export const inferTypes: Pass = graphPass("infer-types", (graph) => { inferShapes(graph); return {}; });

const castLike = rule<Node>({
  name: "cast-like",
  match: (node) => (node.opType === "CastLike" && node.in(1).dtype ? node : undefined),
  replace: (b, node) => [node.in(0).dtype === node.in(1).dtype && node.in(0).producer ? node.in(0) : b.cast(node.in(0), node.in(1).dtype!)],
});

/** Replaces integer and bool values that shapes and constants determine (Shape → Gather → Concat …) by initializers; no arithmetic on floats. */
export const foldShapeArithmetic: Pass = graphPass("fold-shape-arithmetic", (graph) => {
  inferShapes(graph);
  const memo: Memo = new Map();
  const applied: Change[] = [];
  const isExact = (element: Dim): element is number => typeof element === "number" && Number.isSafeInteger(element);
  for (const output of graph.sorted().flatMap((node) => (node.opType === "Constant" ? [] : node.outputs))) {
    if (!output.dtype || output.name === "" || graph.isOutput(output) || !/^(int32|int64|bool)$/.test(output.dtype)) continue;
    const known = partialValue(output, memo);
    if (!known?.elements.every(isExact)) continue;
    substitute(graph, output, graph.addInitializer(output.name, Tensor.from(output.dtype, known.shape, known.elements)));
    applied.push({ rule: "fold-shape-arithmetic", node: output.producer!.name, detail: output.producer!.opType });
  }
  removeDead(graph);
  return { applied };
});

/**
 * Replaces everything that depends on constants alone by initializers: shape arithmetic by itself, the rest by one run of `evaluate`.
 * Random ops, ops of other domains, subgraphs and results above a million elements stay.
 */
export const foldConstants = async (input: Graph, evaluate: Evaluate): Promise<PassResult> => foldConstantsOfOwn(input.clone(), evaluate);

const withoutRun = sequence("fold-constants", [castLikeToCast, foldShapeArithmetic]);

/** As `foldConstants`, for a caller who owns `own`: it is edited and is the result. */
export const foldConstantsOfOwn = async (own: Graph, evaluate: Evaluate): Promise<PassResult> => {
  const folded = runOnOwn(withoutRun, own);
  const { graph } = folded;
  const wanted = constantFrontier(graph);
  if (wanted.length === 0) return folded;
  const results = await evaluate(constantPart(graph, wanted));
  const applied: Change[] = [...folded.report.applied];
  for (const value of wanted) {
    const tensor = results[value.name];
    if (!tensor) throw new Error(`bug: the evaluator did not return "${value.name}"`);
    applied.push({ rule: "fold-constants", node: value.producer?.name ?? "", detail: value.producer?.opType ?? "" });
    graph.replaceAllUses(value, graph.addInitializer(value.name, tensor));
  }
  const done = runOnOwn(graphPass("fold-constants", (edited) => { removeDead(edited); return { applied }; }), graph);
  return { graph: done.graph, report: { ...done.report, nodes: [folded.report.nodes[0], done.graph.nodes.size] } };
};

const isRandom = (node: Node): boolean => /^(Random|Multinomial|Bernoulli)/.test(node.opType);
/** Ops that make much of little: folded only where the size of the result is known. */
const growing: ReadonlySet<string> = new Set([
  "ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "Upsample", "OneHot", "MaxUnpool", "EyeLike", "CenterCropPad", "Col2Im", "BlackmanWindow",
  "HannWindow", "HammingWindow", "DFT", "STFT", "MelWeightMatrix", "AffineGrid", "ImageDecoder", "Scan", "Loop",
]);

const isFoldable = (node: Node): boolean =>
  node.domain === "" && !isRandom(node) && ![...node.attributes.values()].some(({ type }) => type === "graph" || type === "graphs")
  && node.opType !== "DequantizeLinear" && node.opType !== "QuantizeLinear"; // a Q/DQ pair on a weight is a statement, not arithmetic

/** Values made of constants alone that something else reads. */
const constantFrontier = (graph: Graph): Value[] => {
  const constant = new Set<Value>();
  const isSmall = (value: Value): boolean => value.staticShape !== undefined && elementCount(value.staticShape) <= mostElements;
  const mayRun = (node: Node): boolean => node.outputs.every((output) => isSmall(output) || (!output.staticShape && !growing.has(node.opType) && node.inputs.every((input) => !input || isSmall(input))));
  for (const node of graph.sorted()) {
    const known = node.inputs.every((value) => value === null || value.constant !== undefined || constant.has(value));
    if (known && isFoldable(node) && mayRun(node)) node.outputs.forEach((output) => constant.add(output)); // nothing big on the way either
  }
  return [...constant].filter((value) => value.name !== "" && value.constant === undefined && !graph.isOutput(value)
    && value.readers.some((reader) => reader.outputs.some((output) => !constant.has(output))));
};

const constantPart = (graph: Graph, outputs: readonly Value[]): Graph => {
  const part = graph.clone();
  const byName = new Map([...part.nodes].flatMap((node) => node.outputs).map((value) => [value.name, value]));
  part.outputs.splice(0, part.outputs.length, ...outputs.map((value) => byName.get(value.name)!));
  removeDead(part);
  part.inputs.splice(0);
  return part;
};
