import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkGolden } from "../../bundle/golden/check.ts";
import { addGolden } from "../../bundle/golden/files.ts";
import { goldenVectors } from "../../bundle/golden/vectors.ts";
import type { Files } from "../../bundle/input.ts";
import type { Manifest } from "../../bundle/manifest-schema.ts";
import { describeDetector, loadDetector, writeContract } from "../../detection/detector.ts";
import { parseGraph } from "../../graph/text.ts";
import { saveModel } from "../../onnx/save.ts";
import { sha256File } from "../../files/digest.ts";
import { refusal } from "../helpers/refusal.ts";

/** Boxes, scores and labels of three objects, each made from the picture's means; labels are int64, as torchvision's detectors give them. */
const threeOutputs = `(images: f32[1,3,32,32]) {
  const four: i64[2] = [3, 4] const one: i64[1] = [3] const size: f32[] = [30] const two: f32[] = [2]
  means = AveragePool<kernel_shape=[16, 16], strides=[16, 16]>(images) rows = Reshape(means, four) boxes = Mul(rows, size)
  mean = GlobalAveragePool(images) scores = Reshape(mean, one) scaled = Mul(scores, two) labels = Cast<to=7>(scaled)
} -> boxes, labels, scores`;

const inBundle = async (work: (folder: string, manifest: Manifest) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-golden-"));
  try {
    const path = join(folder, "model.onnx");
    const graph = parseGraph(threeOutputs);
    const { contract, head } = await describeDetector(graph, "three outputs", { classes: ["a", "b", "c"], probe: false });
    writeContract(graph, contract, head);
    await saveModel(graph, path);
    const model = await loadDetector(path, { classes: ["a", "b", "c"] });
    const files: Files = new Map();
    addGolden(files, await goldenVectors([{ role: "float", variant: "float", path, model, session: {} }], 1, { iouThreshold: 0.5, maxDetections: 10 }));
    for (const [name, bytes] of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
    const manifest: Pick<Manifest, "models" | "classes" | "preprocess"> = {
      models: [{ role: "float", file: "model.onnx", sha256: await sha256File(path), session: {} } as Manifest["models"][number]], classes: [...model.classes], preprocess: { contract: model.contract } as Manifest["preprocess"],
    };
    await work(folder, manifest as Manifest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

test("every output of a model is stored, whatever its type, and compared", () => inBundle(async (folder, manifest) => {
  const index = await readFile(join(folder, "golden/index.txt"), "utf8");
  assert.match(index, "output float 0.0001 golden/odd.float.f32\nfurther int64 golden/odd.float.1.int64 labels\nfurther float32 golden/odd.float.2.float32 scores\nboxes float ");
  assert.is((await readFile(join(folder, "golden/odd.float.1.int64"))).length, 3 * 8);
  const { pictures, runs } = await checkGolden(folder, manifest);
  assert.equal([pictures, runs], [10, 10]);
}));

for (const [file, name, change] of [
  ["odd.float.1.int64", '"labels"', (bytes: Buffer) => bytes.writeBigInt64LE(bytes.readBigInt64LE(8) + 1n, 8)],
  ["odd.float.2.float32", '"scores"', (bytes: Buffer) => bytes.writeFloatLE(bytes.readFloatLE(4) + 0.001, 4)],
] as const) {
  test(`a changed value of output ${name} is the first difference`, () => inBundle(async (folder, manifest) => {
    const path = join(folder, "golden", file);
    const bytes = await readFile(path);
    change(bytes);
    await writeFile(path, bytes);
    const error = await refusal(checkGolden(folder, manifest));
    assert.is(error.code, "GOLDEN_DIFFERS");
    assert.match(error.message, `Golden picture "odd": value 1 of the output ${name} of float differs`);
  }));
}

test.run();
