/*
 * Builds and runs the node: npx tsx examples/perception-node/run.ts [--bundle <folder>] [--images <folder or file>] [--model float|int8_cpu] [--build <folder>]
 * Pictures of any format become PPM first; without --images twelve road scenes are drawn, without --bundle the newest of the road-scenes example is taken.
 */
import { execa } from "execa";
import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseRunResult, stageReport } from "../../pipeline/result.ts";
import { decodeImage, type Image8 } from "../../vision/index.ts";
import { roadscene } from "../roadscenes/generate.ts";
import { onnxRuntimeFiles } from "./onnxruntime.ts";

const here = import.meta.dirname;
const { values } = parseArgs({ options: { bundle: { type: "string" }, images: { type: "string" }, model: { type: "string", default: "float" }, build: { type: "string" } } });

/** The bundle of the last road-scenes run; made now where the run made none. */
const newestBundle = async (into: string): Promise<string> => {
  const runs = join(here, "../../runs");
  const names = await readdir(runs).then((all) => all.filter((name) => name.startsWith("roadscenes-")), () => []);
  const dated = await Promise.all(names.map(async (name) => ({ run: join(runs, name), time: await stat(join(runs, name, "run.json")).then(({ mtimeMs }) => mtimeMs, () => 0) })));
  const [newest] = dated.filter(({ time }) => time > 0).sort((a, b) => b.time - a.time);
  if (!newest) throw new Error("there is no road-scenes run in runs/: make one with `npm start`, or name a bundle with --bundle <folder>");
  const file = join(newest.run, "run.json");
  const folder = stageReport(parseRunResult(await readFile(file, "utf8"), file), "bundle")?.["folder"];
  if (typeof folder === "string") return join(newest.run, folder);
  await execa(process.execPath, ["--import", "tsx", join(here, "../../cli/main.ts"), "bundle", newest.run, "--formats", "cpp", "--no-archive", "-o", into], { stderr: "inherit" });
  return join(into, (await readdir(into))[0]!);
};
const packageName = async (bundle: string): Promise<string> => /set\(BUNDLE_NAME (\w+)\)/.exec(await readFile(join(bundle, "cpp/model.cmake"), "utf8"))![1]!;

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
  const bundle = resolve(values.bundle ?? (await newestBundle(join(temporary, "bundle"))));
  const runtime = await onnxRuntimeFiles();
  if (typeof runtime === "string") throw new Error(`${runtime}; set EDGESTILL_ORT_INCLUDE to a folder with onnxruntime_cxx_api.h`);
  const pictures = join(temporary, "pictures");
  await mkdir(pictures);
  await writePictures(pictures);
  const build = values.build ?? join(temporary, "build");
  await execa("cmake", ["-S", here, "-B", build, `-DDETECTOR=${await packageName(bundle)}`, `-DCMAKE_PREFIX_PATH=${bundle}`,
    `-DONNXRUNTIME_INCLUDE_DIR=${runtime.includeDir}`, `-DONNXRUNTIME_LIBRARY=${runtime.library}`]);
  await execa("cmake", ["--build", build, "--parallel", "2"]);
  await execa(join(build, "perception-node"), [bundle, pictures, values.model], { stdout: "inherit", stderr: "inherit" });
} finally {
  await rm(temporary, { recursive: true, force: true });
}
