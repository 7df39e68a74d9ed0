import { execa } from "execa";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/**
 * ONNX Runtime for C++ programs: the library of onnxruntime-node and the project's own headers out of a package that ships its iOS build
 * (1.29: an older C API than the library's, which keeps it). Downloaded once into the repository's .cache, compared with its checksum, never committed.
 */
const headerPackage = "com.github.asus4.onnxruntime@0.4.9";
const headerPackageSha512 = "BkzxduSZ9IkeDP6Q8lz2TFU2ie7hSSvS7ZIfzMooExoq0CNzJnuuGaUJ7IsojBgqO4ouD1jXah8OYyJbCN29Fg==";
const headersInside = "package/Plugins/iOS~/onnxruntime.xcframework/ios-arm64_x86_64-simulator/onnxruntime.framework/Headers";

const cache = join(import.meta.dirname, "../../.cache");

export interface OnnxRuntimeFiles {
  readonly includeDir: string;
  readonly library: string;
}

/** The files, or why they are not to be had here. EDGESTILL_ORT_INCLUDE names headers that are there already. */
export const onnxRuntimeFiles = async (): Promise<OnnxRuntimeFiles | string> => {
  const library = libraryPath();
  if (!existsSync(library)) return `onnxruntime-node has no ${library}`;
  const given = process.env["EDGESTILL_ORT_INCLUDE"];
  if (given) return { includeDir: given, library };
  const includeDir = join(cache, headerPackage.replaceAll(/[^\w.]/g, "-"));
  if (!existsSync(join(includeDir, "onnxruntime_cxx_api.h"))) {
    const failed = await download(includeDir).then(() => undefined, (error: unknown) => (error instanceof Error ? error.message.split("\n")[0]! : String(error)));
    if (failed) return `ONNX Runtime's headers could not be downloaded (${failed})`;
  }
  return { includeDir, library };
};

const libraryPath = (): string => {
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  return join(root, "bin/napi-v6", process.platform, process.arch, "libonnxruntime.so.1");
};

const download = async (includeDir: string): Promise<void> => {
  const folder = `${includeDir}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    await execa("npm", ["pack", "--silent", "--pack-destination", folder, headerPackage], { timeout: 300_000 });
    const archive = (await readdir(folder)).find((name) => name.endsWith(".tgz"))!;
    const sha512 = createHash("sha512").update(await readFile(join(folder, archive))).digest("base64");
    if (sha512 !== headerPackageSha512) throw new Error(`${headerPackage} has the sha512 ${sha512}, not ${headerPackageSha512}`);
    await execa("tar", ["xzf", archive, "--strip-components", String(headersInside.split("/").length), headersInside], { cwd: folder });
    await rm(join(folder, archive));
    await rename(folder, includeDir);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (!existsSync(includeDir)) throw error;
  }
};

/** A folder laid out as ONNX Runtime's releases are: include/ and lib/, as links. */
export const onnxRuntimeRoot = async (folder: string, { includeDir, library }: OnnxRuntimeFiles): Promise<string> => {
  await mkdir(join(folder, "lib"), { recursive: true });
  await symlink(includeDir, join(folder, "include"));
  await symlink(library, join(folder, "lib/libonnxruntime.so"));
  await symlink(library, join(folder, "lib/libonnxruntime.so.1"));
  return folder;
};
