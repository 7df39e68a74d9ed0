import { shellWord } from "../escape/shell.ts";
import { addText, type BundleInput, type Files } from "./input.ts";
import { floatModel, modelFile, type Names } from "./names.ts";

/** The recipe of a TensorRT engine, which is built on the device that runs it, and the timing caches that targets produced. */
export const addTensorrtRecipe = (files: Files, { models, timingCaches }: BundleInput, names: Names): void => {
  const { model } = floatModel(models);
  const [width, height] = model.contract.size;
  const int8 = models.some(({ role }) => role === "int8-tensorrt");
  const file = modelFile(names, int8 ? "int8-tensorrt" : "float").replace("models/", "");
  const isDynamic = typeof model.graph.inputs[0]!.shape?.[0] === "string";
  for (const [name, bytes] of timingCaches) files.set(`models/tensorrt/${name}`, bytes);
  addText(files, "models/tensorrt/build-engine.sh", `#!/bin/sh
# Builds the TensorRT engine on the device that will run it: engines fit one GPU and one TensorRT release. usage: build-engine.sh [folder for the engine]
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
out=\${1:-.}
trtexec=$(command -v trtexec || echo /usr/src/tensorrt/bin/trtexec)
release=$("$trtexec" --help 2>/dev/null | sed -n 's/.*TensorRT v\\([0-9]*\\).*/\\1/p' | head -n 1)
name=${shellWord(`${names.base}.trt`)}"\${release:-unknown}"
case "$release" in
  ????) dotted="$((release / 1000)).$((release / 100 % 10)).$((release % 100))" ;;
  ?????*) dotted="$((release / 10000)).$((release / 100 % 100)).$((release % 100))" ;;
  *) dotted="" ;;
esac
for kept in "$here/tensorrt/"*".trt$dotted.timing"; do # what a board with this release has measured: the build takes less time; TensorRT ignores those of another GPU
  if [ -e "$kept" ] && [ ! -e "$out/$name.timing" ]; then cp "$kept" "$out/$name.timing"; fi
done
case "$release" in 11*) precision="" ;; *) precision="${int8 ? "--int8 --fp16" : "--fp16"}" ;; esac # TensorRT 11 takes the types from the model
"$trtexec" --onnx="$here/"${shellWord(file)} --saveEngine="$out/"${shellWord(file.replace(/\.onnx$/, ".trt"))}"\${release:-unknown}.engine" \\
  --timingCacheFile="$out/$name.timing" $precision${isDynamic ? ` ${shellWord(`--shapes=${model.graph.inputs[0]!.name}:1x3x${height}x${width}`)}` : ""}
`);
};
