import type onnxProto from "onnx-proto";
import { pick, type Random } from "./random.ts";

type IModel = onnxProto.onnx.IModelProto;
type IGraph = onnxProto.onnx.IGraphProto;
type INode = onnxProto.onnx.INodeProto;
type IAttribute = onnxProto.onnx.IAttributeProto;
type ITensor = onnxProto.onnx.ITensorProto;
type IDimension = onnxProto.onnx.TensorShapeProto.IDimension;

/** Everything in a model that a mutation may pick, bodies included. */
export class Parts {
  readonly model: IModel;
  readonly random: Random;
  readonly graphs: IGraph[] = [];
  readonly nodes: { readonly node: INode; readonly graph: IGraph }[] = [];

  constructor(model: IModel, random: Random) {
    this.model = model;
    this.random = random;
    if (model.graph) this.#collect(model.graph);
  }

  #collect(graph: IGraph): void {
    this.graphs.push(graph);
    for (const node of graph.node ?? []) {
      this.nodes.push({ node, graph });
      for (const { g } of node.attribute ?? []) if (g) this.#collect(g);
    }
  }

  get tensors(): ITensor[] {
    return [
      ...this.graphs.flatMap((graph) => graph.initializer ?? []),
      ...this.nodes.flatMap(({ node }) => (node.attribute ?? []).flatMap(({ t }) => t ?? [])),
    ];
  }

  get dims(): IDimension[] {
    return this.graphs
      .flatMap(({ input, output, valueInfo }) => [...(input ?? []), ...(output ?? []), ...(valueInfo ?? [])])
      .flatMap(({ type }) => type?.tensorType?.shape?.dim ?? []);
  }

  one<T>(from: readonly T[]): T | undefined {
    return from.length > 0 ? pick(this.random, from) : undefined;
  }
  node(): INode {
    return this.one(this.nodes)?.node ?? {};
  }
  graph(): IGraph {
    return this.one(this.graphs) ?? {};
  }
  attributes(): IAttribute[] {
    return this.nodes.flatMap(({ node }) => node.attribute ?? []);
  }
  /** A name that some value has. */
  valueName(): string {
    const names = this.graphs.flatMap(({ input, initializer, node }) =>
      [...(input ?? []), ...(initializer ?? [])]
        .map(({ name }) => name ?? "")
        .concat((node ?? []).flatMap(({ output }) => output ?? [])),
    );
    return this.one(names) ?? "";
  }
}
