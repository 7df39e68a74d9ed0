import { Option, type Command } from "commander";
import { lazyTask } from "../../pipeline/progress.ts";
import type { PruneOptions } from "../../pipeline/prune/prune.ts";
import { count, percent } from "../../report/figures.ts";
import { action } from "../context.ts";
import { UsageError } from "../errors.ts";
import { list, share, size, wholeNumber } from "../values.ts";

interface Options {
  readonly macs?: number;
  readonly parameters?: number;
  readonly criterion?: NonNullable<PruneOptions["criterion"]>;
  readonly allocation: NonNullable<PruneOptions["allocation"]>;
  readonly round: number;
  readonly exclude?: readonly string[];
  readonly data?: string;
  readonly out: string;
  readonly saveMasked?: string;
  readonly size?: readonly [number, number];
}

export const addPrune = (program: Command): Command =>
  program.command("prune").summary("fewer channels")
    .description("Structured channel pruning without recovery (compress recovers by training).").argument("<model.onnx>")
    .option("--macs <share>", "share of the MACs to keep, e.g. 0.6", share)
    .option("--parameters <share>", "share of the parameters to keep, instead of --macs", share)
    .addOption(new Option("--criterion <name>", "default taylor with --data, else l2").choices(["l1", "l2", "bn-scale", "taylor"]))
    .addOption(new Option("--allocation <how>", "compare channels over all layers, or take the same share of each").choices(["global", "uniform"]).default("global"))
    .option("--round <n>", "channels are kept in multiples of this", wholeNumber, 8)
    .option("--exclude <a,b,…>", "layers that keep their channels (names or patterns with *)", list)
    .option("--data <dataset>", "labelled pictures for the Taylor criterion")
    .option("--size <WxH>", "input size of a model whose input is dynamic", size)
    .requiredOption("-o, --out <out.onnx>", "where to write the pruned model")
    .option("--save-masked <m.onnx>", "also write the model with all channels, the removed ones masked by zeros")
    .addHelpText("after", `
Examples:
  edgestill prune yolov8n.onnx --macs 0.6 -o small.onnx
  edgestill prune yolov8n.onnx --macs 0.7 --criterion taylor --data val.json -o small.onnx
  edgestill prune yolov8n.onnx --macs 0.6 -o small.onnx --save-masked masked.onnx`)
    .action(action<[string], Options>(async ({ reporter, signal, result }, [model], options) => {
      const { macs, parameters, criterion, allocation, round, exclude, data, out, saveMasked, size: wanted } = options;
      if ((macs === undefined) === (parameters === undefined)) throw new UsageError("prune needs one of --macs and --parameters.", "say what to keep, e.g. --macs 0.6.");
      const { pruneFile } = await import("../../pipeline/models/prune.ts");
      const task = lazyTask(reporter, "gradients", "picture");
      const pruned = await pruneFile(model, {
        out, allocation, round, signal, onProgress: task.update, ...(macs !== undefined && { macs }), ...(parameters !== undefined && { parameters }), ...(criterion && { criterion }),
        ...(wanted && { size: wanted }), ...(exclude && { exclude }), ...(data !== undefined && { data }), ...(saveMasked !== undefined && { saveMasked }),
      }).finally(task.end);
      for (const note of pruned.notes) reporter.line(`note: ${note}`);
      if (pruned.note !== null) reporter.warn(pruned.note);
      const cut = pruned.groups.filter((group) => group.channelsAfter < group.channelsBefore).length;
      result({ macs: pruned.macs, parameters: pruned.parameters, groups: pruned.groups, blocked: pruned.blocked, note: pruned.note, notes: pruned.notes }, () =>
        `${out}: ${count(pruned.macs)} MACs (${percent(pruned.macs / pruned.before.macs)}), ${count(pruned.parameters)} parameters (${percent(pruned.parameters / pruned.before.parameters)}), ${cut} of ${pruned.groups.length} groups cut`);
      return pruned.note !== null && cut === 0 ? 1 : 0; // the target was missed by everything: a copy was written
    }));
