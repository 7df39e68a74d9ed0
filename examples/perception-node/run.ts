/*
 * Builds and runs the node: npx tsx examples/perception-node/run.ts [--bundle <folder>] [--images <folder or file>] [--model float|int8_cpu] [--build <folder>]
 * Pictures of any format become PPM first; without --images twelve road scenes are drawn, without --bundle the newest of the road-scenes example is taken.
 */
import { execa } from "execa";
import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { decodeImage, type Image8 } from "../../vision/index.ts";
import { roadscene } from "../roadscenes/generate.ts";
import { onnxRuntimeFiles } from "./onnxruntime.ts";

const here = import.meta.dirname;
const { values } = parseArgs({ options: { bundle: { type: "string" }, images: { type: "string" }, model: { type: "string", default: "float" }, build: { type: "string" } } });

/** The last bundle that a road-scenes run wrote. */
const newestBundle = async (): Promise<string> => {
  const runs = join(here, "../../runs");
  const markers = await readdir(runs, { recursive: true }).then((paths) => paths.filter((path) => /^roadscenes-[^/]+\/.*roadscenes-[^/]+\/cpp\/model\.cmake$/.test(path)), () => []);
  const dated = await Promise.all(markers.map(async (path) => ({ path: join(runs, path), time: (await stat(join(runs, path))).mtimeMs })));
  const [newest] = dated.sort((a, b) => b.time - a.time);
  if (!newest) throw new Error("no bundle of the road-scenes example in runs/: make one with `npm start`, or name yours with --bundle <folder>");
  return join(newest.path, "../..");
};
const bundle = resolve(values.bundle ?? (await newestBundle()));

const packageName = async (): Promise<string> => /set\(BUNDLE_NAME (\w+)\)/.exec(await readFile(join(bundle, "cpp/model.cmake"), "utf8"))![1]!;

const ppm = ({ width, height, data }: Image8): Uint8Array => Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), data]);

const pictureFiles = async (path: string): Promise<string[]> =>
  (await stat(path)).isFile() ? [path] : (await readdir(path)).filter((name) => /\.(jpe?g|png|webp|ppm|tiff?)$/i.test(name)).sort().map((name) => join(path, name));

const writePictures = async (folder: string): Promise<void> => {
  const sources: (readonly [string, string | Uint8Array])[] = values.images
    ? (await pictureFiles(values.images)).map((path) => [basename(path), path])
    : await Promise.all(Array.from({ length: 12 }, async (_, seed) => [`scene-${String(seed).padStart(2, "0")}`, (await roadscene(seed)).jpeg] as const));
  for (const [name, source] of sources) await writeFile(join(folder, `${name}.ppm`), ppm(await decodeImage(source, { name })));
};

const temporary = await mkdtemp(join(tmpdir(), "perception-node-"));
try {
  const runtime = await onnxRuntimeFiles();
  if (typeof runtime === "string") throw new Error(`${runtime}; set EDGESTILL_ORT_INCLUDE to a folder with onnxruntime_cxx_api.h`);
  const pictures = join(temporary, "pictures");
  await mkdir(pictures);
  await writePictures(pictures);
  const build = values.build ?? join(temporary, "build");
  await execa("cmake", ["-S", here, "-B", build, `-DDETECTOR=${await packageName()}`, `-DCMAKE_PREFIX_PATH=${bundle}`,
    `-DONNXRUNTIME_INCLUDE_DIR=${runtime.includeDir}`, `-DONNXRUNTIME_LIBRARY=${runtime.library}`]);
  await execa("cmake", ["--build", build, "--parallel", "2"]);
  await execa(join(build, "perception-node"), [bundle, pictures, values.model], { stdout: "inherit", stderr: "inherit" });
} finally {
  await rm(temporary, { recursive: true, force: true });
}
