import { writeBundle } from "../../bundle/write.ts";
import { runtimeVersion } from "../environment.ts";
import { lazyTask, type Reporter } from "../progress.ts";
import { readRun } from "../run-file.ts";
import type { Stage } from "../stage.ts";
import { inRun } from "../variant-files.ts";
import { version } from "../version.ts";
import { bundleInput } from "./input.ts";

/** The bundle of the run so far, unsigned: signing needs a key and is done with `edgestill bundle --sign`. */
export const bundleStage: Stage<"bundle"> = {
  name: "bundle",
  identity: ({ loaded: { config }, plan, withoutTargets }) => config.bundle && {
    bundle: config.bundle, requirements: config.requirements ?? [], slices: Object.entries(plan.slices).map(([name, ids]) => [name, [...ids]]),
    targets: config.targets, benchmark: config.benchmark, gates: config.gates, ...(withoutTargets.length > 0 && { withoutTargets }),
  },
  run: async ({ loaded: { config }, plan, runFolder, folder, reporter, signal }) => {
    const settings = config.bundle!;
    const result = await readRun(runFolder);
    const input = await bundleInput({ result, runFolder, settings, requirements: config.requirements ?? [], plan });
    const written = await writeBundle(input, folder, { tool: toolRecord(), archive: settings.archive, ...following(reporter, signal) });
    const { manifest } = written;
    return {
      variants: [],
      report: {
        name: manifest.name, folder: inRun(runFolder, written.folder), archive: written.archive && inRun(runFolder, written.archive), bytes: written.bytes,
        formats: manifest.formats, requirements: manifest.requirements, limits: manifest.limits, notes: manifest.notes,
      },
    };
  },
};

export const toolRecord = () => ({ name: "edgestill", version, onnxruntime: runtimeVersion() }) as const;

/** A bar for each thing that takes long. */
export const following = (reporter: Reporter, signal: AbortSignal | undefined) => {
  let [label, task] = ["", lazyTask(reporter, "", "picture")];
  return {
    onNote: (line: string): void => reporter.line(`note: ${line}`),
    onProgress: (what: string, done: number, total: number): void => {
      if (what !== label) {
        task.end();
        [label, task] = [what, lazyTask(reporter, what, "picture")];
      }
      task.update(done, total);
      if (done === total) task.end();
    },
    ...(signal && { signal }),
  };
};
