import { cocoClasses } from "../datasets/coco-names.ts";
import { contradictions, showsAnything } from "./check.ts";
import {
  classCountUnknown,
  classCountsDiffer,
  cocoShift,
  contradicted,
  headAmbiguous,
  headUnknown,
  noDetector,
  noSuchOutput,
  notAsSaid,
  undecided,
  type Refused,
} from "./errors.ts";
import { factsOf, type Facts } from "./facts.ts";
import { layouts } from "./layouts.ts";
import { classNames } from "./names.ts";
import { readingsOf, tableOfHead, type OutputTensor } from "./readings.ts";
import type { Candidate, Head, HeadQuestion, NearMiss } from "./types.ts";
import { smallest } from "../../input/largest.ts";

const isCandidate = (item: Candidate | NearMiss): item is Candidate => "head" in item;

/** Every reading that shapes, names, metadata and ops allow. Throws UserError where there is none. */
const candidatesOf = (
  question: HeadQuestion,
): { readonly facts: Facts; readonly candidates: readonly Candidate[]; readonly misses: readonly NearMiss[] } => {
  const named = classNames(question.metadata ?? new Map<string, string>())?.length;
  if (named !== undefined && question.classCount !== undefined && named !== question.classCount)
    throw classCountsDiffer(named, question.classCount);
  const facts = factsOf(question);
  const missing = question.only?.find((name) => !question.outputs.some((output) => output.name === name));
  if (missing !== undefined) throw noSuchOutput(missing, question.outputs);
  if (facts.task !== undefined && !["detect", "segment", "pose"].includes(facts.task)) throw noDetector(facts.task);
  const wanted = facts.family === undefined || facts.family === "auto" ? null : facts.family;
  const read = layouts.flatMap((layout) => layout.recognise(facts));
  const possible = read.filter(isCandidate).filter(({ head }) => wanted === null || head.family === wanted);
  const candidates = possible.filter(({ head }) => isAsSaid(head, question));
  if (possible.length > 0 && candidates.length === 0)
    throw notAsSaid(
      facts,
      possible.map(({ head }) => head),
    );
  const misses = read.filter((item): item is NearMiss => !isCandidate(item));
  if (candidates.length > 0) return { facts, candidates, misses };
  const classMiss =
    misses.length > 0 && misses.every(({ classes }) => classes === true) && wanted === null ? misses[0] : undefined;
  throw classMiss ? classCountUnknown(facts, classMiss) : headUnknown(facts, misses);
};

/** Nothing that the user says is left unheard: a reading without a place for it is none. */
const isAsSaid = (head: Head, { boxes, coordinates, labelOffset = 0, background }: HeadQuestion): boolean => {
  const said = head.kind === "table" ? head : tableOfHead(head);
  const { scores } = said;
  return (
    (boxes === undefined || boxes === said.form) &&
    (coordinates === undefined || coordinates === said.coordinates) &&
    (scores.by === "label" || labelOffset === 0) &&
    (background === undefined || (scores.by === "class" && scores.background === background))
  );
};

/**
 * Labels from 1 under COCO's 80 names: such labels are nearly always COCO's category ids, whose gaps shift every
 * class after the eleventh.
 */
const shiftsCoco = (head: Head, { names, widths }: Facts): boolean =>
  head.kind === "table" &&
  head.scores.by === "label" &&
  head.scores.labelOffset === 1 &&
  names !== undefined &&
  names.length === 80 &&
  names.every((name, i) => name === cocoClasses[i]) &&
  ![80, 81, 240, 243, 320, 324, 480, 486, 720, 729].some((width) => widths?.has(width) === true);

const decided = ({ head, layout }: Candidate, facts: Facts): DecidedHead => {
  if (shiftsCoco(head, facts)) throw cocoShift(facts);
  return { head, layout };
};

/** The candidates with the least doubt. */
const likeliest = (candidates: readonly Candidate[]): readonly Candidate[] => {
  const least = smallest(candidates.map(({ doubt }) => doubt));
  return candidates.filter(({ doubt }) => doubt === least);
};

/**
 * What kind of detector the model is, from its output shapes, its ops and its metadata alone.
 * @throws UserError HEAD_UNKNOWN (no layout fits), HEAD_AMBIGUOUS (several do), HEAD_CLASS_COUNT (the number of
 * classes is not stated, or differs).
 */
export const recogniseHead = (question: HeadQuestion): Head => recogniseLayout(question).head;

/** As `recogniseHead`, with the name of the layout. */
export const recogniseLayout = (question: HeadQuestion): DecidedHead => {
  const { facts, candidates } = candidatesOf(question);
  const best = likeliest(candidates);
  if (best.length > 1)
    throw headAmbiguous(
      facts,
      best.map(({ head }) => head),
    );
  return decided(best[0]!, facts);
};

/** The layout that is likeliest before any run: says how pictures are probably given. Null where nothing fits. */
export const likeliestLayout = (question: HeadQuestion): string | null => {
  const { candidates } = candidatesOf(question);
  return likeliest(candidates)[0]?.layout ?? null;
};

export interface DecidedHead {
  readonly head: Head;
  /** Name of its layout's row. */
  readonly layout: string;
}

/**
 * As `recogniseHead`, with the outputs of one run: what the run contradicts is dropped, and of the rest the least
 * doubtful is taken.
 * @throws UserError also HEAD_CONTRADICTED (every reading is contradicted); HEAD_AMBIGUOUS where the run allows
 * several readings of a layout that nothing else settles.
 */
export const decideHead = (question: HeadQuestion, outputs: readonly OutputTensor[]): DecidedHead => {
  const { facts, candidates } = candidatesOf(question);
  const judged = candidates.map((candidate) => ({ candidate, problems: problemsOf(candidate, facts, outputs) }));
  const survivors = judged.filter(({ problems }) => problems.length === 0).map(({ candidate }) => candidate);
  if (survivors.length === 0) throw contradicted(facts, refusedOf(judged));
  const best = supported(likeliest(survivors), outputs);
  if (best.length > 1)
    throw headAmbiguous(
      facts,
      best.map(({ head }) => head),
    );
  const { head, weak } = best[0]!;
  const others =
    facts.classes === undefined && supported(best, outputs, true).length === 0
      ? supported(survivors, outputs, true).filter((other) => other.head.family !== head.family)
      : [];
  if (others.length > 0) throw headAmbiguous(facts, [head, ...others.map((other) => other.head)]);
  const rivals = weak
    ? supported(
        survivors.filter((rival) => rival.weak),
        outputs,
      )
    : [];
  if (rivals.length > 1)
    throw undecided(
      facts,
      rivals.map((rival) => rival.head),
    );
  return decided(best[0]!, facts);
};

/** The readings that show something; all of them where none does, unless `strictly`. */
const supported = (
  candidates: readonly Candidate[],
  outputs: readonly OutputTensor[],
  strictly = false,
): readonly Candidate[] => {
  const showing =
    candidates.length > 1 || strictly
      ? candidates.filter(({ head }) => showsAnything(readingsOf(head, outputs, 0)))
      : candidates;
  return showing.length > 0 || strictly ? showing : candidates;
};

const problemsOf = ({ head, layout }: Candidate, facts: Facts, outputs: readonly OutputTensor[]): readonly string[] => {
  const readings = readingsOf(head, outputs, 0);
  const own = layouts.find(({ name }) => name === layout)?.check;
  return [...contradictions(readings, facts), ...(own?.(readings, facts) ?? [])];
};

/** One line a layout: its likeliest reading and what the run showed. */
const refusedOf = (
  judged: readonly { readonly candidate: Candidate; readonly problems: readonly string[] }[],
): readonly Refused[] => {
  const sorted = [...judged].sort((a, b) => a.candidate.doubt - b.candidate.doubt);
  return sorted
    .filter(
      ({ candidate }, index) => sorted.findIndex((other) => other.candidate.layout === candidate.layout) === index,
    )
    .map(({ candidate, problems }) => ({ head: candidate.head, layout: candidate.layout, problems }));
};
