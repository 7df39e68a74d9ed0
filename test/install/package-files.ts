import { execa } from "execa";

const layers = ["autodiff", "bundle", "cli", "detection", "escape", "files", "graph", "input", "onnx", "pipeline", "report", "rewrite", "runtime", "students", "targets", "training", "vision"];
const texts = ["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"];

/** The files that the package should hold, from the files of the repository: every module and its types, what is copied, the documentation. */
export const packageFiles = async (root: string): Promise<string[]> => {
  const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const found = new Set(["dist/targets/device/runner.mjs"]);
  for (const file of stdout.split("\n")) {
    const [folder = ""] = file.split("/");
    if (texts.includes(file) || /^docs\/[^/]+\.(md|json|png)$/.test(file)) found.add(file);
    else if (file.startsWith("bundle/cpp/") && !file.endsWith(".example")) found.add(`dist/${file}`);
    else if (file === "index.ts" || (layers.includes(folder) && file.endsWith(".ts"))) {
      const module = `dist/${file.slice(0, -".ts".length)}`;
      found.add(`${module}.js`);
      found.add(`${module}.d.ts`);
    }
  }
  return [...found].sort();
};
