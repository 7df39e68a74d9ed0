import { execa } from "execa";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { notes } from "./dependency-notes.ts";

/** Writes the tables of docs/dependencies.md from package-lock.json, node_modules and the registry. Run after `npm ci`: npx tsx docs/make-dependencies.ts */

export interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
}

interface Lock {
  readonly packages: Readonly<Record<string, Locked & { readonly dependencies?: Record<string, string>; readonly devDependencies?: Record<string, string> }>>;
}

const root = join(import.meta.dirname, "..");
export const pagePath = join(root, "docs/dependencies.md");

export const readLock = async (): Promise<Lock> => JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as Lock;

export const directNames = (lock: Lock, kind: "dependencies" | "devDependencies"): string[] => Object.keys(lock.packages[""]![kind] ?? {}).sort();

const prefix = "node_modules/";

/** Packages that a user gets through others: [path below node_modules, what the lock file says]. */
export const transitive = (lock: Lock): (readonly [name: string, locked: Locked])[] => {
  const direct = new Set(directNames(lock, "dependencies"));
  return Object.entries(lock.packages).flatMap(([path, locked]) => {
    const name = path.slice(prefix.length);
    return path === "" || locked.dev || direct.has(name) ? [] : [[name, locked] as const];
  });
};

/** The cells that follow from the lock file; test/docs/dependencies.test.ts holds the page to them. */
export const lockedCells = ({ version, license, hasInstallScript }: Locked): readonly string[] =>
  [version, license ?? "?", hasInstallScript ? "yes" : "no"];

const bytesOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = entries.filter(({ name }) => name !== "node_modules").map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? bytesOf(path) : stat(path).then(({ size }) => size);
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};

const sizeText = (bytes: number): string => (bytes === 0 ? "not on this platform" : bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const sizeOf = async (name: string): Promise<string> => sizeText(await bytesOf(join(root, "node_modules", name)));

interface Releases {
  readonly ours: string;
  readonly newest: string;
}

const releasesOf = async (name: string, version: string): Promise<Releases> => {
  const { stdout } = await execa("npm", ["view", name, "time", "dist-tags", "--json"], { cwd: root });
  const answer = JSON.parse(stdout) as { time: Record<string, string>; "dist-tags": { latest: string } };
  const { time, "dist-tags": { latest } } = answer;
  const day = (of: string): string => time[of]?.slice(0, 10) ?? "?";
  return { ours: day(version), newest: latest === version ? "this" : `${latest} (${day(latest)})` };
};

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string => [row(heads), row(heads.map(() => "---")), ...rows.map(row)].join("\n");

const directTable = async (lock: Lock, kind: "dependencies" | "devDependencies"): Promise<string> => {
  const rows: string[][] = [];
  for (const name of directNames(lock, kind)) {
    const locked = lock.packages[prefix + name]!;
    const { ours, newest } = await releasesOf(name, locked.version);
    const { why, habits, stays } = notes[name]!;
    rows.push([`\`${name}\``, ...lockedCells(locked), await sizeOf(name), ours, newest, why, habits, stays ?? ""]);
  }
  return table(["package", "version", "licence", "install script", "size", "released", "newest", "why", "network, processes, files", "why this one stays"], rows);
};

const transitiveTable = async (lock: Lock): Promise<string> =>
  table(["package", "version", "licence", "install script", "size"],
    await Promise.all(transitive(lock).map(async ([name, locked]) => [`\`${name}\``, ...lockedCells(locked), await sizeOf(name)])));

const write = async (): Promise<void> => {
  const lock = await readLock();
  const page = await readFile(pagePath, "utf8");
  const tables: Readonly<Record<string, string>> = {
    dependencies: await directTable(lock, "dependencies"), tools: await directTable(lock, "devDependencies"), transitive: await transitiveTable(lock),
  };
  const written = page.replaceAll(/<!-- (\w+) -->[^]*?<!-- end -->/g, (_, name: string) => `<!-- ${name} -->\n${tables[name]!}\n<!-- end -->`);
  await writeFile(pagePath, written);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await write();
