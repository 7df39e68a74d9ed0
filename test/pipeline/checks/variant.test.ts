import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../../graph/graph.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { saveModel } from "../../../onnx/save.ts";
import type { StageContext } from "../../../pipeline/stage.ts";
import { checkVariant } from "../../../pipeline/checks/variant.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { preprocessPreset } from "../../../vision/preprocess.ts";
import { inFolder } from "../../helpers/cli.ts";
import { refusal } from "../../helpers/refusal.ts";
import { makeScenes, sceneClasses, scenePicture, tinySize } from "../../helpers/scenes.ts";

const student = (): Graph => yoloStudent({ classes: sceneClasses, size: tinySize, width: 0.125, depth: 0.33, seed: 7 });

/** The graph with one parameter changed. */
const changed = (name: string, to: (value: number) => number): Graph => {
  const graph = student();
  const value = graph.initializers.find((initializer) => initializer.name.includes(name))!;
  value.tensor = Tensor.float32(value.tensor!.shape, value.tensor!.floats.map(to));
  return graph;
};

test("a variant's file is what the graph in memory computes, or it is not handed over", () =>
  inFolder(async (folder) => {
    await makeScenes(folder, 1, 1);
    const context = {
      plan: {
        classes: sceneClasses,
        student: { family: "yolov8", contract: preprocessPreset("yolov8", tinySize) },
        val: { items: [{ path: await scenePicture(folder, "val", 0) }] },
      },
      loaded: { config: { threads: 1 } },
    } as unknown as Pick<StageContext, "plan" | "loaded">;
    const path = join(folder, "variant.onnx");
    const check = async (file: Graph, memory: Graph): Promise<void> => {
      await saveModel(file, path);
      await checkVariant([path], memory, { name: "variant" }, context);
    };
    await check(student(), student());
    const bias = student().initializers.findLast(({ name }) => name.endsWith(".bias"))!.name; // fresh weights vanish on the way; biases do not
    const other = await refusal(
      check(
        changed(bias, (x) => x + 0.05),
        student(),
      ),
    );
    assert.is(other.code, "VARIANT_DIFFERS");
    assert.match(other.message, /variant\.onnx.*(boxes|scores)/);
    const diverged = changed(bias, () => NaN);
    assert.is((await refusal(check(diverged, diverged))).code, "VARIANT_DIFFERS");
  }));

test.run();
