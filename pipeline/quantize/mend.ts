import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { serializeModel } from "../../onnx/save.ts";
import { checkArithmetic, type Arithmetic, type HeadArithmetic } from "./arithmetic.ts";
import { compact } from "./compact.ts";
import type { Emitted } from "./emitter.ts";
import { int8Differs } from "./errors.ts";
import type { QuantizationScheme } from "./qat.ts";
import { emit, namesOf, sessionFor, type Job } from "./search.ts";

export interface Sound {
  readonly emitted: Emitted;
  readonly floatSet: ReadonlyMap<Node, string>;
  readonly heads: readonly HeadArithmetic[];
  readonly notes: readonly string[];
}

/** Pictures that the file and the float model are compared on. */
const comparedOn = 3;
/** Layers that are found one by one; with more of them at fault, all before the last become float. */
const mostCulprits = 6;

/**
 * The scheme's file with this float set, opened and compared as `checkArithmetic` does. Layers that ONNX Runtime does not compute as written are
 * found by halving and become float as well. Throws UserError INT8_DIFFERS where no layer could stay int8.
 */
export const soundFile = async (job: Job, scheme: QuantizationScheme, source: Graph, start: ReadonlyMap<Node, string>): Promise<Sound> => {
  const byName = new Map([...job.prepared.nodes].map((node) => [node.name, node]));
  const floatSet = new Map(start);
  const notes: string[] = [];
  for (let round = 0; ; round++) {
    const { emitted, found } = await tried(job, scheme, source, floatSet);
    if (found.problem === undefined) return { emitted, floatSet, heads: found.heads, notes };
    const culprits = await fewestPrefix(emitted.layers, async (layers) =>
      (await tried(job, scheme, source, new Map([...floatSet, ...layers.map((name) => [byName.get(name)!, ""] as const)]))).found.problem === undefined);
    if (!culprits) throw int8Differs(scheme, found.problem, emitted.layers);
    const chosen = round < mostCulprits ? culprits.slice(-1) : culprits;
    for (const name of chosen) floatSet.set(byName.get(name)!, `its int8 kernel does not compute what is written: ${found.problem}`);
    notes.push(`${scheme}: ${found.problem}; ${chosen.map((name) => `"${name}"`).join(", ")} ${chosen.length > 1 ? "are" : "is"} float for it`);
    job.options.onProgress?.({ step: "check", done: round + 1, total: null, note: notes.at(-1)! });
    if (chosen.length === emitted.layers.length) throw int8Differs(scheme, found.problem, emitted.layers);
  }
};

/** The file on disk, as `soundFile` left it. Throws UserError INT8_DIFFERS. */
export const checkWritten = async (job: Job, scheme: QuantizationScheme, source: Graph, path: string): Promise<void> => {
  const { problem } = await checkArithmetic(path, source, job.statistics.examples.slice(0, comparedOn), { threads: job.options.threads, session: sessionFor(scheme, job.options) });
  if (problem !== undefined) throw int8Differs(scheme, problem, []);
};

const tried = async (job: Job, scheme: QuantizationScheme, source: Graph, floatSet: ReadonlyMap<Node, string>): Promise<{ emitted: Emitted; found: Arithmetic }> => {
  job.options.signal?.throwIfAborted();
  const emitted = emit(job, scheme, source, namesOf(floatSet));
  const bytes = serializeModel(compact(emitted.graph), { valueInfo: false });
  return { emitted, found: await checkArithmetic(bytes, source, job.statistics.examples.slice(0, comparedOn), { threads: job.options.threads, session: sessionFor(scheme, job.options) }) };
};

/** The shortest prefix of `layers` whose members must be float for `isSound`; undefined where not even all of them are enough. */
const fewestPrefix = async (layers: readonly string[], isSound: (float: readonly string[]) => Promise<boolean>): Promise<readonly string[] | undefined> => {
  if (!(await isSound(layers))) return undefined;
  let [bad, good] = [0, layers.length];
  while (good - bad > 1) {
    const middle = Math.floor((bad + good) / 2);
    if (await isSound(layers.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return layers.slice(0, good);
};
