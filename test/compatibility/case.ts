import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";

/** One input of other people's kind, made on the spot. */
export interface Case {
  readonly input: string;
  /** The right value, or a refusal by this code. */
  readonly gives: "right" | (string & {});
  /** Runs the product and compares; throws where a value is wrong. Returns what it gave in a few words, the same anywhere. */
  readonly run: (folder: string) => Promise<string>;
  /** Tried by docs/make-compatibility.ts alone: a test elsewhere does the same work. */
  readonly isSlow?: boolean;
}

export interface Kind {
  readonly title: string;
  readonly cases: readonly Case[];
}

export interface Outcome {
  readonly isWrong: boolean;
  /** The cell of the page. */
  readonly text: string;
}

/** What a case gives now. Never throws: what is not as it should be is wrong. */
export const outcomeOf = async ({ gives, run }: Case): Promise<Outcome> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-"));
  try {
    const text = await run(folder);
    return gives === "right" ? { isWrong: false, text: `right: ${text}` } : wrong(`not refused: ${text}`);
  } catch (error) {
    if (error instanceof UserError && error.code === gives) return { isWrong: false, text: `refused: \`${error.code}\`` };
    return wrong(error instanceof Error ? error.message : String(error));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const wrong = (what: string): Outcome => ({ isWrong: true, text: `**wrong**: ${what.replace(/\s+/g, " ").slice(0, 200)}` });
