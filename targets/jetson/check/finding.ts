import type { Graph } from "../../../graph/graph.ts";
import type { Node, Value } from "../../../graph/node.ts";

/** error: TensorRT refuses the model or computes something else; slow: it runs, slower than it could; note: worth knowing. */
export type Severity = "error" | "slow" | "note";

/** Something that TensorRT refuses, runs badly, or runs otherwise than one might think. */
export interface TensorrtFinding {
  /** Name of the node, or of the graph's input or output. */
  readonly node: string;
  /** Its op; "input", "output" or "model" where it is none. */
  readonly opType: string;
  /** Key of the table in rules.ts. */
  readonly rule: string;
  readonly severity: Severity;
  readonly finding: string;
  /** What to do about it. */
  readonly change: string;
  /** Where the rule is written down. */
  readonly source: string;
}

/** `major.minor`, as 8.6 or 10.3. */
export interface TensorrtVersion {
  readonly major: number;
  readonly minor: number;
}

export const atLeast = ({ major, minor }: TensorrtVersion, wantedMajor: number, wantedMinor = 0): boolean =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);

export interface CheckOptions {
  /** Without it the rules of 8.6 to 11 all count, each as mildly as the mildest of them. */
  readonly version?: TensorrtVersion;
  /** The engine shall run on a DLA core. */
  readonly dla?: boolean;
}

/** What a rule sees. */
export interface CheckedModel extends CheckOptions {
  readonly graph: Graph;
  /** Nodes in execution order. */
  readonly nodes: readonly Node[];
}

/** One place where a rule is broken; severity and change override the rule's. */
export interface Hit {
  readonly at: Node | Value | "model";
  readonly finding: string;
  readonly severity?: Severity;
  readonly change?: string;
}

export interface Rule {
  readonly severity: Severity;
  readonly source: string;
  readonly change: string;
  readonly find: (model: CheckedModel) => readonly Hit[];
}

/** A rule that looks at one node at a time. */
export const perNode = (test: (node: Node, model: CheckedModel) => string | undefined): Rule["find"] => (model) =>
  model.nodes.flatMap((node) => {
    const finding = test(node, model);
    return finding === undefined ? [] : [{ at: node, finding }];
  });
