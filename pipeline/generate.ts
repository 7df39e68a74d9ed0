import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../graph/error.ts";
import type { LoadedConfig } from "./config.ts";
import { lazyTask, type Reporter } from "./progress.ts";

interface Generated {
  readonly images: string;
  readonly train: string;
  readonly val: string;
  /** Named parts of the validation set: a .txt list of picture ids each. */
  readonly slices?: Readonly<Record<string, string>>;
}

interface GenerateOptions {
  readonly dir: string;
  readonly train: number;
  readonly val: number;
  readonly seed: number;
  readonly onProgress: (done: number, total: number) => void;
}

type Generator = (options: GenerateOptions) => Promise<Generated>;

/** Where the data set lies: as the config says, made first where it names a generator. Throws UserError GENERATOR. */
export const dataPaths = async ({ config, folder }: LoadedConfig, reporter: Reporter): Promise<{ readonly train: string; readonly val: string; readonly images: string | undefined; readonly slices: Readonly<Record<string, string>> }> => {
  const { generate, ...data } = config.data;
  const slices = Object.fromEntries(Object.entries(data.slices ?? {}).map(([name, given]) => [name, given.endsWith(".txt") ? resolve(folder, given) : given]));
  if (!generate) return { slices, train: resolve(folder, data.train ?? ""), val: resolve(folder, data.val ?? ""), images: data.images === undefined ? undefined : resolve(folder, data.images) };
  const module = resolve(folder, generate.module);
  const make = await loadGenerator(module);
  const task = lazyTask(reporter, "making the data set", "picture");
  try {
    const made = await make({
      dir: resolve(folder, generate.dir ?? `.cache/${config.name}-${generate.train}-${generate.val}-${generate.seed}`),
      train: generate.train, val: generate.val, seed: generate.seed, onProgress: task.update,
    });
    return { ...made, slices: { ...made.slices, ...slices } };
  } finally {
    task.end();
  }
};

const loadGenerator = async (module: string): Promise<Generator> => {
  const loaded = await import(pathToFileURL(module).href).catch((cause: unknown) => { throw cannotLoad(module, cause); }) as Record<string, unknown>;
  const names = Object.keys(loaded).filter((name) => name.startsWith("generate") && typeof loaded[name] === "function");
  const only = names.includes("generate") ? "generate" : names[0];
  if (only === undefined || (only !== "generate" && names.length > 1)) throw noGenerator(module, names);
  return loaded[only] as Generator;
};

const cannotLoad = (module: string, cause: unknown): UserError =>
  new UserError("GENERATOR", `Cannot load the data set generator ${module}: ${cause instanceof Error ? cause.message : String(cause)}`,
    extname(module) === ".ts" ? `run from the repository (npm run edgestill), compile the module to JavaScript, or start node with tsx in ${dirname(module)}.` : "check the module.", { cause });

const noGenerator = (module: string, names: readonly string[]): UserError =>
  new UserError("GENERATOR", `${module} exports ${names.length === 0 ? "no function whose name starts with generate" : `several: ${names.join(", ")}`}.`,
    "export one function `generate({dir, train, val, seed, onProgress})` that returns {images, train, val}.");
