import { checkRunMemory } from "./budget.ts";
import { invalidOp, labelOf } from "./invalid-op.ts";
import { UserError } from "./error.ts";
import { subgraphsOf, type Graph } from "./graph.ts";
import { keepingTypes } from "./keeping-types.ts";
import type { Node, Value } from "./node.ts";
import { onlyType, parameterAt, signatureOf, type Parameter, type Signature } from "./schemas/schema.ts";
import { inferShapes } from "./shapes.ts";
import type { DataType } from "./tensor.ts";

/**
 * Holds every node against the operator's own schema (graph/schemas): op, arity, attributes, element types; then against what the
 * schemas say in prose (graph/op-rules.ts) with the shapes that the inputs tell. `graph` stays as it is.
 * Throws UserError INVALID_OP naming node and rule, MEMORY_BUDGET.
 */
export const checkOperations = (graph: Graph): void => {
  const stated = new Map<Value, DataType>();
  keepingTypes(graph, () => {
    forget(graph, stated);
    inferShapes(graph, {
      before: (node) => checkNode(node, graph, stated),
      after: (node) => { for (const output of node.outputs) output.dtype ??= stated.get(output); },
    });
    checkRunMemory(graph);
  });
};

/** What the file says of inner values is held against what the nodes give. */
const forget = (graph: Graph, stated: Map<Value, DataType>): void => {
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output.dtype) stated.set(output, output.dtype);
      output.dtype = undefined;
    }
    for (const body of subgraphsOf(node)) forget(body, stated);
  }
};

const checkNode = (node: Node, graph: Graph, stated: ReadonlyMap<Value, DataType>): void => {
  const signature = knownSignature(node, graph);
  if (!signature) return;
  checkArity(node, signature);
  checkAttributes(node, signature);
  const bound = checkTypes(node, signature);
  for (const [index, output] of node.outputs.entries()) {
    const parameter = parameterAt(signature.outputs, index);
    const found = parameter && ((parameter.type !== undefined && bound.get(parameter.type)) || onlyType(parameter));
    const said = stated.get(output);
    if (found && said && said !== found) throw invalidOp(node, `its output "${output.name}" is ${found}, and the file says ${said}`);
    if (found) output.dtype = found;
  }
};

/** Undefined where nothing is known of the op, which then runs in the runtime alone or not at all. */
const knownSignature = (node: Node, graph: Graph): Signature | undefined => {
  const isOnnx = node.domain === "" || node.domain === "ai.onnx";
  const version = isOnnx ? graph.opset : (graph.opsets.get(node.domain) ?? 1);
  const found = signatureOf(node.domain, node.opType, version);
  if (typeof found !== "string") return found;
  if (graph.facts.functions.some((each) => isNamed(each, node))) return undefined;
  if (!graph.opsets.has(node.domain) && !runtimeDomains.has(node.domain)) throw notImported(node);
  if (found === "unknown domain" || (!isOnnx && found === "unknown op")) return undefined;
  throw new UserError("INVALID_OP", `${labelOf(node)}: ${({
    "unknown op": "ai.onnx has no operator of that name",
    "newer op": `the model imports operator set ${version}, which does not have that operator yet`,
    "removed op": `the model imports operator set ${version}, which does not have that operator any more`,
  } as const)[found]}.`, "check the operator's name, its domain and the model's operator sets, and export the model again.");
};

/** What ONNX Runtime knows without an import. */
const runtimeDomains: ReadonlySet<string> = new Set([
  "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "org.pytorch.aten",
]);

const notImported = (node: Node): UserError =>
  new UserError("INVALID_OP", `${labelOf(node)}: the model imports no operator set of ${node.domain === "" ? "ai.onnx" : `"${node.domain.slice(0, 60)}"`}.`,
    "export the model again with the operator sets of all its operators.");

const isNamed = (from: unknown, { opType, domain }: Node): boolean => {
  const { name, domain: of } = from as { readonly name?: string; readonly domain?: string };
  return name === opType && (of ?? "") === domain;
};

const checkArity = (node: Node, { inputs, outputs, inputCount, outputCount }: Signature): void => {
  const read = node.inputs.findLastIndex((input) => input !== null) + 1;
  if (read > inputCount.max) throw invalidOp(node, `it has ${read} inputs and takes at most ${inputCount.max}`);
  for (const [slot, { name, option }] of inputs.entries()) {
    if (option === "single" && !node.inputs[slot]) throw invalidOp(node, `input ${slot} (${name}) is missing`);
  }
  if (read < inputCount.min) throw invalidOp(node, `it has ${read} inputs and needs at least ${inputCount.min}`);
  const made = node.outputs.length;
  if (made > outputCount.max) throw invalidOp(node, `it has ${made} outputs and makes at most ${outputCount.max}`);
  if (made < outputCount.min) throw invalidOp(node, `it has ${made} outputs and makes at least ${outputCount.min}`);
  for (const [index, { name, option }] of outputs.entries()) {
    if (option === "single" && node.outputs[index]?.name === "") throw invalidOp(node, `output ${index} (${name}) has no name`);
  }
};

const checkAttributes = (node: Node, { attributes, since }: Signature): void => {
  for (const [name, attribute] of node.attributes) {
    const known = attributes.get(name);
    if (!known) throw invalidOp(node, `it has an attribute "${name.slice(0, 60)}", which the operator (version ${since}) does not know`);
    if (known.kind && known.kind !== attribute.type) throw invalidOp(node, `attribute ${name} is of kind ${attribute.type} and must be ${known.kind}`);
  }
  for (const [name, { required }] of attributes) if (required && !node.attributes.has(name)) throw invalidOp(node, `attribute ${name} is missing`);
};

/** Element type of each type name of the signature, as the inputs tell. */
const checkTypes = (node: Node, { inputs }: Signature): ReadonlyMap<string, DataType> => {
  const bound = new Map<string, { readonly dtype: DataType; readonly by: string }>();
  for (const [slot, value] of node.inputs.entries()) {
    const parameter = parameterAt(inputs, slot);
    const dtype = value?.dtype;
    if (!dtype || !parameter) continue;
    checkAllowed(node, slot, parameter, dtype);
    if (parameter.type === undefined) continue;
    const other = bound.get(parameter.type);
    if (other && other.dtype !== dtype) {
      throw invalidOp(node, `inputs ${other.by} and ${parameter.name} must have one element type and have ${other.dtype} and ${dtype}`);
    }
    bound.set(parameter.type, { dtype, by: parameter.name });
  }
  return new Map([...bound].map(([type, { dtype }]) => [type, dtype]));
};

const checkAllowed = (node: Node, slot: number, { name, allowed }: Parameter, dtype: DataType): void => {
  if (allowed.has(dtype)) return;
  const takes = allowed.size === 0 ? "takes no tensor" : `takes ${[...allowed].join(", ")}`;
  throw invalidOp(node, `input ${slot} (${name}) is ${dtype} and ${takes}`);
};
