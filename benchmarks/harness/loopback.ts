import { execa } from "execa";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { stringify } from "yaml";
import { saveModel } from "../../onnx/save.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { startLoopbackDevice } from "../../test/helpers/sshd.ts";
import { Table } from "../table.ts";

/** How long a benchmark over ssh takes until it measures: a real sshd on loopback, a student of 12 MB, the built package (`npm run build`). */

const { values } = parseArgs({ options: { size: { type: "string", default: "320" }, repeats: { type: "string", default: "5" }, home: { type: "string" } } });
const root = join(import.meta.dirname, "..", "..", "dist");
if (!existsSync(root)) throw new Error("there is no dist: run `npm run build` first");

/** Milliseconds since the start of the process, by moment. */
type TimeLine = ReadonlyMap<string, number>;

const runOnce = async (model: string, inventory: string): Promise<TimeLine> => {
  const child = execa(execPath, [join(import.meta.dirname, "loopback-run.js"), root, model, inventory], { buffer: false, stderr: "inherit" });
  const times = new Map<string, number>();
  for await (const line of createInterface({ input: child.stdout })) {
    const { moment, ms } = JSON.parse(line) as { readonly moment: string; readonly ms: number };
    times.set(moment, ms);
  }
  await child;
  return times;
};

const folder = await mkdtemp(join(tmpdir(), "edgestill-loopback-"));
const device = await startLoopbackDevice(values.home === undefined ? {} : { HOME: values.home });
try {
  const [model, inventory] = [join(folder, "student.onnx"), join(folder, "targets.yaml")];
  await saveModel(yoloStudent({ classes: ["a", "b", "c"], size: [Number(values.size), Number(values.size)], width: 0.25, depth: 0.33 }), model);
  await writeFile(inventory, stringify({ targets: [{ name: "loopback", kind: "linux", host: device.host, sshConfig: device.sshConfig, node: execPath }] }));
  const cache = join(device.home, "cache");
  console.log(`student of ${((await stat(model)).size / 1e6).toFixed(1)} MB, ${values.size}×${values.size}; ${availableParallelism()} cores, load average ${loadavg()[0]!.toFixed(1)}; seconds since the start of the process: median (fastest) of ${values.repeats}`);
  const cases = [["first use of the device", cache], ["the runner is there, the model is new", join(cache, "edgestill", "files")]] as const;
  const lines = cases.map((): TimeLine[] => []);
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const [index, [, emptied]] of cases.entries()) {
      await rm(emptied, { recursive: true, force: true });
      lines[index]!.push(await runOnce(model, inventory));
    }
  }
  const table = new Table(["moment", ...cases.map(([name]) => name)]);
  for (const moment of lines[0]![0]!.keys()) {
    const seconds = lines.map((runs) => runs.map((times) => times.get(moment)! / 1000));
    table.push([moment, ...seconds.map((of) => `${median(of).toFixed(2)} (${Math.min(...of).toFixed(2)})`)]);
  }
  console.log(table.toString());
} finally {
  await device.stop();
  await rm(folder, { recursive: true });
}
