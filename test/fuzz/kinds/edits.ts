import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseModel } from "../../../onnx/load.ts";
import { serializeModel } from "../../../onnx/save.ts";
import { UserError } from "../../../graph/error.ts";
import { writeGradientModel } from "../../../pipeline/models/grad.ts";
import { predictImages } from "../../../pipeline/models/predict.ts";
import { pruneFile } from "../../../pipeline/models/prune.ts";
import { quantizeFile } from "../../../pipeline/models/quantize.ts";
import { compareOutputs, sampleFeeds } from "../../../runtime/compare.ts";
import { runOnce } from "../../../runtime/session.ts";
import { encodePng } from "../../../vision/image.ts";
import { madeDetector } from "../../helpers/detectors.ts";
import { randomModel } from "../../helpers/random-models.ts";
import { pattern } from "../../vision/images.ts";
import { must, type Check, type Input, type Kind, type Seed } from "../kind.ts";
import { mutateModel } from "../models.ts";

const classes = ["car", "dog"];
const size = [32, 32] as const;

/**
 * Feeds of the model, its own outputs on them; undefined where it does not run at all, which is no fault of what is
 * made of it.
 */
const ownOutputs = async (bytes: Uint8Array, session = { threads: 1, optimization: "disabled" } as const) => {
  try {
    const { graph } = parseModel(bytes, { label: "model.onnx" });
    if (graph.inputs.some(({ shape }) => (shape ?? []).reduce<number>((n, dim) => n * (Number(dim) || 64), 1) > 1e6))
      return undefined;
    const feeds = sampleFeeds(graph, { size });
    return { feeds, outputs: await runOnce(bytes, feeds, session) };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
};

const isFinite = (values: Iterable<number>): boolean => [...values].every(Number.isFinite);

/** Only the detector takes another size than its own. */
const sized = ({ name }: Input) => (name.startsWith("detector") ? { size } : {});

type Made = (file: string, input: Input, folder: string) => Promise<void>;

/** What is done with a model, by the end of its seed's name; each one checks its own result. */
const steps: Readonly<Record<string, Made>> = {
  /** A saved file computes what the given one does. */
  save: async (_file, { bytes }) => {
    const saved = serializeModel(parseModel(bytes, { label: "model.onnx" }).graph);
    const before = await ownOutputs(bytes);
    if (!before) return;
    const after = await runOnce(saved, before.feeds, { threads: 1, optimization: "disabled" });
    const apart = compareOutputs(before.outputs, after).filter(({ relative }) => !(relative <= 1e-6));
    must(
      apart.length === 0,
      `a saved model computes something else: ${apart.map(({ reason, relative }) => reason ?? relative).join()}`,
    );
  },
  /** A pruned file computes what the masked one does, with fewer MACs. */
  prune: async (file, input, folder) => {
    const [out, masked] = [join(folder, "pruned.onnx"), join(folder, "masked.onnx")];
    const { macs, before } = await pruneFile(file, {
      out,
      saveMasked: masked,
      macs: 0.7,
      criterion: "l2",
      round: 1,
      ...sized(input),
    });
    must(Number.isFinite(macs) && macs <= before.macs, `pruned from ${before.macs} to ${macs} MACs`);
    const { graph } = await import("../../../onnx/load.ts").then(({ loadModel }) => loadModel(masked));
    const feeds = sampleFeeds(graph, { size });
    const [a, b] = [await runOnce(masked, feeds, { threads: 1 }), await runOnce(out, feeds, { threads: 1 })];
    const apart = compareOutputs(a, b).filter(({ relative, absolute }) => !(relative <= 2e-3 || absolute <= 1e-6));
    must(
      apart.length === 0,
      `the pruned model computes something else: ${apart.map(({ reason, relative }) => reason ?? relative).join()}`,
    );
  },
  /** An int8 file has the same outputs, and numbers where the float model has numbers. */
  quantize: async (file, { bytes }, folder) => {
    const out = join(folder, "int8.onnx");
    await quantizeFile(file, {
      out,
      data: join(folder, "..", "pictures"),
      images: 2,
      preprocess: "yolov8",
      classes,
      size,
      threads: 1,
      method: "minmax",
    });
    const before = await ownOutputs(bytes);
    if (!before) return;
    const after = await runOnce(out, before.feeds, { threads: 1 });
    for (const [name, value] of Object.entries(before.outputs)) {
      const made = after[name];
      must(made?.shape.join() === value.shape.join() && made.dtype === value.dtype, "the int8 model has other outputs");
      if (isFinite(value.toNumbers())) must(isFinite(made!.toNumbers()), "the int8 model gives what is no number");
    }
  },
  /** Boxes are numbers, inside the picture, of a class that there is. */
  predict: async (file, _input, folder) => {
    const { predictions } = await predictImages(file, [join(folder, "..", "pictures", "0.png")], {
      classes,
      preprocess: "yolov8",
      size,
      score: 0.01,
    });
    for (const {
      box: [x = NaN, y = NaN, w = NaN, h = NaN],
      score,
      class: name,
    } of predictions.flatMap(({ detections }) => detections)) {
      must(isFinite([x, y, w, h, score]), "a box that is no number");
      must(
        w >= 0 && h >= 0 && x >= -0.01 && y >= -0.01 && x + w <= 48.01 && y + h <= 32.01,
        `a box outside of its picture: ${[x, y, w, h].join()}`,
      );
      must(classes.includes(name), "a class that the model does not have");
    }
  },
  /** The gradient model's loss is the sum of what it was asked for. */
  grad: async (file, input, folder) => {
    const { bytes } = input;
    const out = join(folder, "grad.onnx");
    const { graph } = parseModel(bytes, { label: "model.onnx" });
    const loss = graph.outputs[0]?.name ?? "y";
    const {
      outputs: [name = ""],
    } = await writeGradientModel(file, { loss, out, ...sized(input) });
    const before = await ownOutputs(bytes);
    if (!before) return;
    const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
    const [numbers, after] = [before.outputs[loss]!.toNumbers(), await runOnce(out, before.feeds, { threads: 1 })];
    const [expected, actual, scale] = [sum(numbers), sum(after[name]!.toNumbers()), sum(numbers.map(Math.abs))];
    if (Number.isFinite(scale))
      must(
        Math.abs(expected - actual) <= 1e-3 * (scale + 1e-3),
        `the gradient model's loss is ${actual}, not ${expected}`,
      );
  },
};

const started = (step: string): readonly Seed[] => {
  const detector = {
    name: `detector/${step}`,
    bytes: serializeModel(madeDetector({ classes, size, bins: 4, strides: [8, 16] })),
  };
  const others =
    step === "predict" || step === "quantize"
      ? []
      : [1, 3, 4, 5, 8].map((seed) => ({
          name: `random${seed}/${step}`,
          bytes: serializeModel(randomModel(seed).graph),
        }));
  return [detector, ...others];
};

let made: readonly Seed[] | undefined;
const stepOf = (seed: string): string => seed.slice(seed.indexOf("/") + 1);

/** Models that are changed by a command: small, as each runs several times. */
export const edits: Kind = {
  name: "edits",
  about: "ONNX files that are run, pruned, quantized, differentiated and used on a picture; each result is compared",
  share: 25,
  seeds: () => (made ??= Object.keys(steps).flatMap(started)),
  mutate: ({ bytes }, random) => mutateModel(bytes, random),
  open: async (folder): Promise<Check> => {
    await mkdir(join(folder, "pictures"), { recursive: true });
    for (const i of [0, 1]) await writeFile(join(folder, "pictures", `${i}.png`), await encodePng(pattern(48, 32)));
    const work = join(folder, "work");
    return async (input) => {
      await rm(work, { recursive: true, force: true });
      await mkdir(work);
      const file = join(work, "model.onnx");
      await writeFile(file, input.bytes);
      await steps[stepOf(input.name)]!(file, input, work);
    };
  },
  command: (file, seed, out) => {
    const at = seed.startsWith("detector") ? ["--size", size.join("x")] : [];
    switch (stepOf(seed)) {
      case "prune":
        return ["prune", file, "--macs", "0.7", "--criterion", "l2", "--out", out, ...at];
      case "grad":
        return ["grad", file, "--loss", "output0", "--out", out, ...at];
      default:
        return ["inspect", file, ...at];
    }
  },
};
