import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseModel } from "../../../onnx/load.ts";
import { serializeModel } from "../../../onnx/save.ts";
import { inspectModel } from "../../../pipeline/models/inspect.ts";
import { mutateBytes } from "../bytes.ts";
import { must, type Kind, type Seed } from "../kind.ts";
import { mutateModel, seedModels } from "../models.ts";
import { uncleanPart } from "../outcome.ts";

/** Every number of a report that people read is one. */
export const numbersOf = (value: unknown): readonly number[] =>
  typeof value === "number"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(numbersOf)
      : [];

let made: readonly Seed[] | undefined;

/** ONNX files: loaded, saved, loaded again, inspected. What is saved is saved to the same bytes again. */
export const models: Kind = {
  name: "models",
  about: "ONNX files, changed as protobuf and as bytes: load, save, load again to the same bytes, inspect",
  share: 300,
  seeds: () => (made ??= seedModels()),
  mutate: ({ bytes }, random) => (random() < 0.85 ? mutateModel(bytes, random) : mutateBytes(bytes, random)),
  open: (folder) => async (input) => {
    const saved = serializeModel(parseModel(input.bytes, { label: "model.onnx" }).graph);
    const again = serializeModel(parseModel(saved, { label: "model.onnx" }).graph);
    must(Buffer.compare(saved, again) === 0, "a model that is loaded and saved twice has other bytes");
    const file = join(folder, "model.onnx");
    await writeFile(file, input.bytes);
    const facts = await inspectModel(file);
    must(
      numbersOf([facts.macs, facts.parameters, facts.sizeBytes, facts.ops]).every((n) => Number.isFinite(n) && n >= 0),
      "inspect counts something that is no number",
    );
    const part = uncleanPart(facts.notes.join("\n"), input);
    must(part === undefined, `a note of inspect holds ${part}`);
  },
  command: (file) => ["inspect", file],
};
