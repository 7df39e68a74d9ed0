import { UserError } from "../../../graph/error.ts";
import { must, textOf, textSeed, type Kind } from "../kind.ts";
import { pick } from "../random.ts";

/** Every way to end badly, so that a test can see the machine find each. Not among the kinds that are fuzzed. */
const ways: Readonly<Record<string, () => unknown>> = {
  accepted: () => undefined,
  refused: () => {
    throw new UserError("NOT_ONNX", "no model.", "give one.");
  },
  crash: () => process.kill(process.pid, "SIGSEGV"),
  hang: () => {
    for (;;);
  },
  memory: () => Buffer.alloc(4e8, 1).length,
  "raw error": () => (undefined as unknown as string).length,
  "unknown code": () => {
    throw new UserError(["NO", "SUCH", "CODE"].join("_"), "x.", "y.");
  },
  "unclean text": () => {
    throw new UserError("NOT_ONNX", "bug: x is undefined.", "y.");
  },
  "silent change": () => must(false, "another result"),
};

export const ownFaults: Kind = {
  name: "own-faults",
  about: "every way to end badly",
  share: 18,
  seeds: () => [textSeed("seed", "accepted")],
  mutate: (_seed, random) => new TextEncoder().encode(pick(random, Object.keys(ways))),
  open: () => (input) => Promise.resolve(ways[textOf(input)]!()).then(() => undefined),
};
