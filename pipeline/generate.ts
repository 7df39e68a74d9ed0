import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../graph/error.ts";
import type { LoadedConfig } from "./config.ts";
import { lazyTask, type Reporter } from "./progress.ts";

interface Generated {
  readonly images: string;
  readonly train: string;
  readonly val: string;
  readonly test?: string;
  /** Named parts of the validation set: a .txt list of picture ids each. */
  readonly slices?: Readonly<Record<string, string>>;
}

interface GenerateOptions {
  readonly dir: string;
  readonly train: number;
  readonly val: number;
  /** 0 for none. */
  readonly test: number;
  readonly seed: number;
  readonly onProgress: (done: number, total: number) => void;
}

type Generator = (options: GenerateOptions) => Promise<Generated>;

/** Where the data set lies: as the config says, made first where it names a generator. Throws UserError GENERATOR. */
export const dataPaths = async ({ config, folder }: LoadedConfig, reporter: Reporter): Promise<{ readonly train: string; readonly val: string; readonly test: string | undefined; readonly images: string | undefined; readonly slices: Readonly<Record<string, string>> }> => {
  const { generate, ...data } = config.data;
  const slices = Object.fromEntries(Object.entries(data.slices ?? {}).map(([name, given]) => [name, given.endsWith(".txt") ? resolve(folder, given) : given]));
  if (!generate) return { slices, train: resolve(folder, data.train ?? ""), val: resolve(folder, data.val ?? ""), test: data.test === undefined ? undefined : resolve(folder, data.test), images: data.images === undefined ? undefined : resolve(folder, data.images) };
  const module = resolve(folder, generate.module);
  const make = await loadGenerator(module);
  const task = lazyTask(reporter, "making the data set", "picture");
  try {
    const made = await make({
      dir: resolve(folder, generate.dir ?? `.cache/${config.name}-${[generate.train, generate.val, ...(generate.test === undefined ? [] : [generate.test]), generate.seed].join("-")}`),
      train: generate.train, val: generate.val, test: generate.test ?? 0, seed: generate.seed, onProgress: task.update,
    });
    if (generate.test !== undefined && made.test === undefined) throw noTestSet(module);
    return { ...made, test: generate.test === undefined ? undefined : made.test, slices: { ...made.slices, ...slices } };
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

const noTestSet = (module: string): UserError =>
  new UserError("GENERATOR", `${module} made no test set although data.generate.test asks for one.`, "let it return {images, train, val, test}, or leave data.generate.test out.");

const noGenerator = (module: string, names: readonly string[]): UserError =>
  new UserError("GENERATOR", `${module} exports ${names.length === 0 ? "no function whose name starts with generate" : `several: ${names.join(", ")}`}.`,
    "export one function `generate({dir, train, val, test, seed, onProgress})` that returns {images, train, val, test}.");
