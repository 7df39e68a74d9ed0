import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { generateRoadscenes } from "../../examples/roadscenes/generate.ts";
import { variantTable } from "../../cli/table.ts";
import { judgeGates } from "../../pipeline/gates.ts";
import { lossesOf } from "../../pipeline/losses.ts";
import { compress } from "../../pipeline/run.ts";
import { parseRunResult, stageReport, type RunResult, type Variant } from "../../pipeline/result.ts";
import { points } from "../../report/figures.ts";
import { figuresIn } from "../helpers/figures.ts";
import type { Case, Kind } from "./case.ts";

const root = join(import.meta.dirname, "../..");
const teacher = join(root, "examples/roadscenes/teacher.onnx");

const variant = (name: string, stage: Variant["stage"], parent: string | null, map: number | null): Variant => ({
  name, stage, parent, model: `${name}.onnx`, sha256: "0", parameters: 1, macs: 100, sizeBytes: 1000, latency: {},
  accuracy: map === null ? null : { map, map50: map, perClass: {} },
});
const start = variant("student", "student", null, 0.591);
const allowed = { distill: 0.01, prune: 0.03, quantize: 0.01 };

const loss = (input: string, variants: readonly Variant[], expected: readonly string[]): Case => ({
  input,
  gives: "right",
  run: () => {
    assert.equal(lossesOf(variants, allowed).map(({ variant: name }) => name), expected);
    return Promise.resolve(expected.length > 0 ? `counted as a loss: ${expected.join(", ")}` : "no loss");
  },
});

const gate = (input: string, variants: readonly Variant[], passed: boolean): Case => ({
  input: `gate mapDrop 2 points: ${input}`,
  gives: "right",
  run: () => {
    const result: RunResult = { name: "r", config: {}, seed: 1, environment: {}, stages: [], gates: [], variants };
    assert.equal(judgeGates({ mapDrop: 0.02 }, result).map((one) => one.passed), [passed]);
    return Promise.resolve(passed ? "passes" : "fails");
  },
});

/** The example's teacher as the given student, on a few of its scenes. */
const trained = async (folder: string, distill: string, data = ""): Promise<RunResult> => {
  await generateRoadscenes({ dir: join(folder, "data"), train: 8, val: 6, test: 5, seed: 3 });
  const config = join(folder, "config.yaml");
  await writeFile(config, ["name: choices", "seed: 1", `data: {train: data/train.json, val: data/val.json, images: data/images${data}}`, `student: {model: ${teacher}}`,
    "targets: []", "report: {pictures: 0}", `distill: {${distill}}`, ""].join("\n"));
  return (await compress(config, { runs: join(folder, "runs") })).result;
};

export const defaults: Kind = {
  title: "Defaults that cannot hurt",
  cases: [
    {
      input: "a learning rate of 0.2 on a trained student",
      gives: "right",
      isSlow: true,
      run: async (folder) => {
        const result = await trained(folder, "epochs: 1, batch: 8, learningRate: 0.2, evaluateEvery: 1");
        assert.equal(stageReport(result, "distill")!.choices!.map(({ chosen }) => chosen), ["the start"]);
        const [first, last] = [result.variants[0]!.accuracy!.map, result.variants.at(-1)!.accuracy!.map];
        assert.is(last, first);
        return "the start is the result, which is said; no mAP lost";
      },
    },
    {
      input: "data.test beside data.val",
      gives: "right",
      isSlow: true,
      run: async (folder) => {
        const { choosing, variants } = await trained(folder, "epochs: 1, batch: 8", ", test: data/test.json");
        assert.equal([choosing!.measuredOn, choosing!.pictures, choosing!.helpedAtMost, variants[0]!.accuracy!.images], ["test", 5, 0, 5]);
        return "choices on val, figures from test: choosing helped by 0";
      },
    },
    {
      input: "no data.test",
      gives: "right",
      isSlow: true,
      run: async (folder) => {
        const { choosing } = await trained(folder, "epochs: 1, batch: 8");
        assert.is(choosing!.measuredOn, "val");
        assert.ok(choosing!.helpedAtMost! > 0);
        return "said: chosen and measured on the same pictures, and by how much choosing can have helped";
      },
    },
    loss("a trained student far below the given one (59.1 to 13.7)", [start, variant("distilled", "distilled", "student", 0.137)], ["distilled"]),
    loss("a pruned model 3.5 points below its parent", [start, variant("pruned", "pruned", "student", 0.556)], ["pruned"]),
    loss("a pruned model 2.5 points below its parent", [start, variant("pruned", "pruned", "student", 0.566)], []),
    loss("one of two int8 files worse", [start, variant("int8.cpu", "int8", "student", 0.589), variant("int8.tensorrt", "int8", "student", 0.57)], ["int8.tensorrt"]),
    gate("a drop of 3 points", [start, variant("int8", "int8", "student", 0.561)], false),
    gate("a drop of 1 point", [start, variant("int8", "int8", "student", 0.581)], true),
    gate("an accuracy that was not measured", [start, variant("int8", "int8", "student", null)], false),
    gate("a run without variants", [], false),
  ],
};

export const terminal: Kind = {
  title: "What a person reads is what was measured",
  cases: [
    {
      input: "the table of a run at 20 to 250 columns",
      gives: "right",
      run: async () => {
        const path = join(root, "test/fixtures/report/run.json");
        const run = parseRunResult(await readFile(path, "utf8"), path);
        const wanted = run.variants.flatMap(({ accuracy }) => [points(accuracy!.map), points(accuracy!.map50)]);
        for (let columns = 20; columns < 250; columns += 3) {
          const shown = figuresIn(variantTable(run, columns));
          for (const figure of wanted) assert.ok(shown.includes(figure), `${figure} at ${columns} columns`);
        }
        return "every mAP is shown whole, in points of 100";
      },
    },
  ],
};
