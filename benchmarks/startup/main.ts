import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the watching process adds to a command's start: `npm run build && npx tsx benchmarks/startup/main.ts [times]` on an idle machine. Minimum of many. */

const dist = join(import.meta.dirname, "../../dist/cli");
const direct = join(dist, "direct.js");
writeFileSync(direct, `import { runCommandLine } from "./command-line.js"; await runCommandLine();\n`);

const wrongUse = "verify"; // without its argument: the command line starts, and ends
const commands = { "node alone": ["-e", "0"], "without the watching process": [direct, wrongUse], "as installed": [join(dist, "main.js"), wrongUse] };
const milliseconds = new Map<string, number>();
for (let time = 0; time < Number(process.argv[2] ?? 50); time++) {
  for (const [name, args] of Object.entries(commands)) {
    const started = performance.now();
    spawnSync(process.execPath, args, { stdio: "ignore" });
    milliseconds.set(name, Math.min(milliseconds.get(name) ?? Infinity, performance.now() - started));
  }
}
rmSync(direct);
for (const [name, least] of milliseconds) console.log(`${name}: ${least.toFixed(0)} ms`);
