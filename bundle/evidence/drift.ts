import type { RunResult, Variant } from "../../pipeline/result.ts";

/** AP of a class along the way from the teacher to the deployed file, and what each step changed. */
export interface DriftRow {
  readonly class: string;
  readonly steps: readonly { readonly variant: string; readonly stage: string; readonly ap: number | null; readonly change: number | null }[];
}

/** Teacher, then the chain of parents of each deployed variant; "all" is the mean over classes. Fractions, as run.json has them. */
export const driftRows = (result: RunResult, deployed: readonly string[]): DriftRow[] => {
  const path = pathOf(result, deployed);
  const classes = [...new Set(path.flatMap(({ accuracy }) => Object.keys(accuracy?.perClass ?? {})))];
  return ["all", ...classes].map((name) => ({ class: name, steps: stepsOf(path, name) }));
};

const pathOf = ({ variants }: RunResult, deployed: readonly string[]): Variant[] => {
  const wanted = new Set(variants.filter(({ stage }) => stage === "teacher").map(({ name }) => name));
  for (const name of deployed) {
    for (let at = variants.find((variant) => variant.name === name); at && !wanted.has(at.name); at = variants.find((variant) => variant.name === at?.parent)) wanted.add(at.name);
  }
  return variants.filter(({ name }) => wanted.has(name));
};

const stepsOf = (path: readonly Variant[], name: string): DriftRow["steps"] => {
  const apOf = ({ accuracy }: Variant): number | null => (name === "all" ? (accuracy?.map ?? null) : (accuracy?.perClass[name] ?? null));
  const teacher = path.find(({ stage }) => stage === "teacher");
  return path.map((variant) => {
    const ap = apOf(variant);
    const before = path.find((other) => other.name === variant.parent) ?? (variant.stage === "teacher" ? undefined : teacher);
    const reference = before ? apOf(before) : null;
    return { variant: variant.name, stage: variant.stage, ap, change: ap === null || reference === null ? null : ap - reference };
  });
};
