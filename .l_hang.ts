import { loadModel } from "./onnx/load.ts";
import { inferShapes } from "./graph/shapes.ts";
const { graph } = await loadModel(process.argv[2]!);
console.log("loaded"); inferShapes(graph); console.log("inferred");
