import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { Broken, type Check, type Input } from "./kind.ts";

/** Ends that are right, then those that are faults. */
export const goodOutcomes = ["accepted", "refused"] as const;
export const faults = ["crash", "hang", "memory", "raw error", "unclean text", "silent change"] as const;
export type Fault = (typeof faults)[number];

export interface Outcome {
  readonly is: (typeof goodOutcomes)[number] | Fault;
  /** The error's code, of a refusal. */
  readonly code?: string;
  readonly message?: string;
}

export const isFault = ({ is }: Outcome): boolean => (faults as readonly string[]).includes(is);

/** It was the process that ended, not the code that answered: each such input is tried on the command line. */
export const isOfProcess = ({ is }: Outcome): boolean => is === "crash" || is === "hang" || is === "memory";

const root = join(import.meta.dirname, "..", "..");
const layers = [
  "graph",
  "onnx",
  "rewrite",
  "autodiff",
  "runtime",
  "training",
  "vision",
  "students",
  "detection",
  "pipeline",
  "targets",
  "bundle",
  "report",
  "escape",
  "cli",
];

/** Every word in capitals that stands as a string in the product's sources: what an error's code must be among. */
const knownCodes = (): ReadonlySet<string> => {
  const codes = new Set<string>();
  for (const layer of layers) {
    let entries: string[];
    try {
      entries = readdirSync(join(root, layer), { recursive: true }) as string[];
    } catch {
      continue; // a layer that this version does not have
    }
    for (const entry of entries.filter((name) => name.endsWith(".ts") && !name.includes("node_modules")))
      for (const [, code] of readFileSync(join(root, layer, entry), "utf8").matchAll(
        /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"/g,
      ))
        codes.add(code!);
  }
  return codes;
};
let codes: ReadonlySet<string> | undefined;

/** What no text for people holds: words of the language's own errors, stacks, and raw control characters. */
const unclean: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["bug:", /\bbug:/],
  ["an object as text", /\[object \w+\]/],
  [
    "an error of the language",
    /\b(?:Type|Range|Reference|Syntax)Error\b|Cannot (?:(?:read|set) propert|destructure|convert undefined|convert a|mix BigInt|access ')|is not (?:a function|iterable|a constructor)|Maximum call stack|Invalid (?:array|typed array|string) length|Array buffer allocation|heap out of memory/,
  ],
  ["a stack", /^\s+at .*:\d+:\d+\)?$/m],
  ["a control character", /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/],
];

/** These may stand in a text only where the input holds them: as the word, or NaN as a float32. */
const echoed: Readonly<Record<string, readonly string[]>> = {
  undefined: ["undefined"],
  NaN: ["nan", "\u0000\u0000\u00c0\u007f"],
};

export const uncleanPart = (text: string, input: Input): string | undefined => {
  for (const [what, pattern] of unclean) {
    const match = pattern.exec(text);
    if (match) return `${what}\n${JSON.stringify(text.slice(Math.max(0, match.index - 60), match.index + 60))}`;
  }
  const given = Buffer.from(input.bytes).toString("latin1").toLowerCase();
  const word = Object.keys(echoed).find((name) => new RegExp(`\\b${name}\\b`).test(text));
  return word === undefined || echoed[word]!.some((part) => given.includes(part)) ? undefined : `${word}\n${text}`;
};

/** Runs the input and says how it ended. */
export const outcomeOf = async (check: Check, input: Input): Promise<Outcome> => {
  try {
    await check(input);
    return { is: "accepted" };
  } catch (error) {
    return judged(error, input);
  }
};

export const judged = (error: unknown, input: Input): Outcome => {
  if (error instanceof Broken) return { is: "silent change", message: error.message };
  if (!(error instanceof UserError)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}\n${ownFrames(error)}` : String(error);
    return { is: "raw error", message };
  }
  codes ??= knownCodes();
  if (!codes.has(error.code)) return { is: "raw error", message: `unknown code ${error.code}: ${error.message}` };
  const part = uncleanPart(`${error.message}\n${error.nextStep}`, input);
  if (part !== undefined) return { is: "unclean text", code: error.code, message: `${error.code}: ${part}` };
  return { is: "refused", code: error.code };
};

const ownFrames = (error: Error): string =>
  (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim().replaceAll(`file://${root}/`, ""))
    .slice(0, 4)
    .join("\n");

/** Faults with the same signature are one class: numbers and quoted texts left out. */
export const signatureOf = ({ is, message = "" }: Outcome): string =>
  `${is}: ${(is === "unclean text" ? message.split("\n")[0]! : message)
    .replaceAll(/"[^"]*"|'[^']*'/g, '"…"')
    .replaceAll(/[0-9]+/g, "#")
    .replaceAll(/(?:\/[\w.+-]+){2,}/g, "PATH")
    .slice(0, 240)}`;
