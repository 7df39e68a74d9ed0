import { UserError } from "./error.ts";
import type { Graph } from "./graph.ts";
import type { Node, Value } from "./node.ts";

/**
 * Rounds of one run above which a model is refused. A round costs ONNX Runtime 5 to 10 µs even when its body is empty, so that these take about a minute;
 * loops of detectors (NMS, one round a class or a box) have up to some ten thousand.
 */
export const mostRounds = 10_000_000;

/** Throws UserError ENDLESS_LOOP for a model whose loops, as the graph itself says, take more than `mostRounds` rounds: nested ones multiply. */
export const checkLoops = (graph: Graph): void => {
  for (const node of graph.nodes) {
    const rounds = roundsOfNode(node);
    if (rounds > mostRounds) throw endless(graph, node, rounds);
  }
};

/** Rounds that one run of `graph` takes for certain; what depends on the input counts as none. */
const roundsOf = (graph: Graph): number => {
  let sum = 0;
  for (const node of graph.nodes) sum += roundsOfNode(node);
  return sum;
};

const roundsOfNode = (node: Node): number =>
  node.domain === "" && Object.hasOwn(certainRounds, node.opType) ? certainRounds[node.opType]!(node) : 0;

const certainRounds: Readonly<Record<string, (node: Node) => number>> = {
  Loop: (node) => repeated(node, loopCount(node)),
  Scan: (node) => repeated(node, scanCount(node)),
  If: (node) => {
    const [then, otherwise] = [bodyOf(node, "then_branch"), bodyOf(node, "else_branch")].map((body) => (body ? roundsOf(body) : 0)) as [number, number];
    const condition = truth(node.optionalIn(0));
    return condition === undefined ? Math.min(then, otherwise) : condition ? then : otherwise;
  },
};

/** The body's own loops run once for each round. A body that runs never is not looked into. */
const repeated = (node: Node, times: number): number => {
  const body = bodyOf(node, "body");
  return body && times > 0 ? times * (1 + roundsOf(body)) : 0;
};

const bodyOf = (node: Node, name: string): Graph | undefined => {
  const attribute = node.attributes.get(name);
  return attribute?.type === "graph" ? attribute.value : undefined;
};

/** Infinity where neither a count nor a condition ends it; 0 where the condition may end it at any time. */
const loopCount = (node: Node): number => {
  const body = bodyOf(node, "body");
  const started = node.optionalIn(1);
  if (!body || (started && truth(started) !== true)) return 0;
  const [answer, given] = [body.outputs[0] && origin(body.outputs[0]), body.inputs[1]];
  if (!answer || !(answer === given || truth(answer) === true)) return 0;
  const count = node.optionalIn(0);
  if (!count) return Infinity;
  const tensor = origin(count).constant;
  return tensor && tensor.size === 1 ? Math.max(0, Number(tensor.data[0])) : 0;
};

/** Length of the scanned axis, where it is known. */
const scanCount = (node: Node): number => {
  const inputs = node.attributes.get("num_scan_inputs");
  const scanned = inputs?.type === "int" && inputs.value > 0 ? node.inputs[node.inputs.length - inputs.value] : undefined;
  const axes = node.attributes.get("scan_input_axes");
  const axis = axes?.type === "ints" ? (axes.value[0] ?? 0) : 0;
  const dim = scanned?.shape?.at(axis);
  return typeof dim === "number" ? dim : 0;
};

/** Where a value comes from, behind nodes that pass it on: `farthest` of them at most, which no exporter writes. */
const origin = (value: Value): Value => {
  let at = value;
  for (let steps = 0; steps < farthest && at.producer && passesOn(at.producer); steps++) at = at.producer.in(0);
  return at;
};

const farthest = 100;
const boolType = 9;

const passesOn = ({ domain, opType, inputs, attributes }: Node): boolean => {
  if (domain !== "" || !inputs[0]) return false;
  const to = attributes.get("to");
  return passing.has(opType) || (opType === "Cast" && to?.type === "int" && to.value === boolType);
};

const passing: ReadonlySet<string> = new Set(["Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten"]);

/** True or false where the graph says so for every run. `depth`: ops of logic that are looked through. */
const truth = (value: Value | null | undefined, depth = 4): boolean | undefined => {
  const from = value && origin(value);
  const tensor = from?.constant;
  if (tensor) return tensor.size === 1 && tensor.dtype !== "string" ? Number(tensor.data[0]) !== 0 : undefined;
  const { producer } = from ?? {};
  if (producer?.domain !== "" || depth === 0) return undefined;
  const part = (slot: number): boolean | undefined => truth(producer.inputs[slot], depth - 1);
  if (producer.opType === "Not") return not(part(0));
  if (producer.opType === "And") return and(part(0), part(1));
  if (producer.opType === "Or") return not(and(not(part(0)), not(part(1))));
  return undefined;
};

const and = (a: boolean | undefined, b: boolean | undefined): boolean | undefined => (a === false || b === false ? false : a === true && b === true ? true : undefined);

const not = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value);

const endless = ({ origin: file, name: graphName }: Graph, { opType, name, outputs }: Node, rounds: number): UserError =>
  new UserError("ENDLESS_LOOP", `${file || `graph "${graphName}"`}: ${opType} "${name || (outputs[0]?.name ?? "")}" ${
    Number.isFinite(rounds) ? `repeats its body ${rounds.toLocaleString("en")} times, the loops inside it included` : "never ends: its condition is always true"
  }. No more than ${mostRounds.toLocaleString("en")} rounds are run.`,
  "export the model with a loop that ends; if the file is not yours, do not trust it.");
