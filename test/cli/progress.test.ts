import { test } from "uvu";
import * as assert from "uvu/assert";
import { barLine, terminalReporter } from "../../cli/progress.ts";
import type { ProgressTask } from "../../pipeline/progress.ts";
import { columnsOf, printable, shortenText, wrapText } from "../../cli/terminal-text.ts";
import { seededNumbers } from "../helpers/models.ts";
import { TerminalStream } from "../helpers/terminal.ts";

const words = ["mAP", "of", "distilled", "loss", "pictures/s", "歩行者", "voiture-éléctrique", "交通信号灯交通信号灯", "runs/road-nano-1a2b3c4d/cache/training/distilled-0123456789ab/model.onnx", "(waiting", "for", "data)"];

/** Lines with figures among words of all lengths and widths; the same for the same seed. */
const randomLines = (count: number, seed: number): string[] => {
  const numbers = [...seededNumbers(count * 40, seed, 0, 1)];
  const next = (): number => numbers.pop()!;
  return Array.from({ length: count }, (_, line) => [`line ${line + 1}:`, ...Array.from({ length: 1 + Math.floor(next() * 18) }, () => (next() < 0.5 ? (next() * 100).toFixed(1) : words[Math.floor(next() * words.length)]!))].join(" "));
};

/** Prints the lines above up to four bars that come, move and go. */
const printAmongBars = async (stream: TerminalStream, lines: readonly string[], seed: number, between?: (line: number) => Promise<void>): Promise<void> => {
  const reporter = terminalReporter(stream as unknown as NodeJS.WriteStream, { isDumb: false });
  const dice = [...seededNumbers(lines.length * 8, seed, 0, 1)];
  const tasks: ProgressTask[] = [];
  for (const [at, line] of lines.entries()) {
    if (tasks.length < 4 && dice.pop()! < 0.4) tasks.push(reporter.task(`teacher on ${at} pictures × 6 variants 歩行者`, 100, "picture"));
    for (const task of tasks) task.update(Math.floor(dice.pop()! * 100), `epoch 3/40 loss ${(dice.pop()! * 9).toFixed(3)}`);
    reporter.line(line);
    if (tasks.length > 0 && dice.pop()! < 0.2) tasks.splice(0, 1)[0]!.end();
    await between?.(at);
  }
  reporter.stop();
  await stream.settled();
};

for (const columns of [20, 40, 60, 80, 200]) test(`${columns} columns: every line above the bars is whole, nothing of the bars stays, no figure is broken over two rows`, async () => {
  const [stream, lines] = [new TerminalStream(columns), randomLines(120, columns)];
  await printAmongBars(stream, lines, columns + 1);
  const { text, rows } = stream.terminal.screen();
  assert.is(text, lines.join(" ").replace(/\s+/g, " "));
  const figures = (shown: readonly string[]): string[] => shown.flatMap((row) => row.match(/(?<=^|\s)\d+\.\d(?=\s|$)/g) ?? []);
  assert.equal(figures(rows), figures(lines.map((line) => line.replaceAll(" ", "  "))));
});

test("a window that gets narrower and wider while bars move loses no line", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const [stream, lines] = [new TerminalStream(80), randomLines(60, 100 + seed)];
    const sizes = [...seededNumbers(60, 200 + seed, 25, 120)].map(Math.floor);
    await printAmongBars(stream, lines, seed, async (line) => { if (line % 4 === 3) await stream.resize(sizes[line]!, 12 + (line % 20)); });
    const { text } = stream.terminal.screen();
    let from = 0;
    for (const line of lines) {
      const wanted = line.replace(/\s+/g, " ");
      const found = text.indexOf(wanted, from);
      assert.ok(found >= 0, `seed ${seed}: "${wanted}" is not whole on the screen`);
      from = found + wanted.length;
    }
  }
});

test("more bars than rows: the lines above stay whole", async () => {
  const stream = new TerminalStream(60, 5);
  const reporter = terminalReporter(stream as unknown as NodeJS.WriteStream, { isDumb: false });
  const tasks = Array.from({ length: 12 }, (_, at) => reporter.task(`bar ${at}`, 10, "step"));
  const lines = randomLines(30, 9);
  for (const line of lines) {
    for (const task of tasks) task.update(3);
    reporter.line(line);
  }
  reporter.stop();
  await stream.settled();
  assert.is(stream.terminal.screen().text, lines.join(" ").replace(/\s+/g, " "));
});

test("a bar fits every width, and each figure in it is whole or left out", () => {
  const bar = { label: "teacher on 640 pictures × 6 variants", unit: "picture", total: 3840, done: 1234, rate: "12.5 pictures/s, 3 min 28 s left", detail: "epoch 12/40 loss 10.123" };
  const figures = new Set(["640", "6", "1234/3840", "12.5", "3", "28", "12/40", "10.123"]);
  for (let columns = 1; columns <= 160; columns++) {
    const line = barLine(bar, columns);
    assert.ok(columnsOf(line) < Math.max(2, columns), `${columns}: ${line}`);
    for (const [figure] of line.matchAll(/[\d./]*\d[\d./]*/g)) assert.ok(figures.has(figure), `${columns} columns: ${figure} in "${line}"`);
  }
  assert.match(barLine(bar, 160), "teacher on 640 pictures × 6 variants ████████░░░░░░░░░░░░░░░░ 1234/3840 12.5 pictures/s, 3 min 28 s left epoch 12/40 loss 10.123");
  assert.match(barLine({ ...bar, unit: "byte", label: "model", done: 1_500_000, total: 12_620_000, rate: "", detail: "" }, 80), "1.50 MB of 12.6 MB");
});

test("a terminal that only prints, or a pipe, gets plain lines", async () => {
  const stream = new TerminalStream(80);
  const reporter = terminalReporter(stream as unknown as NodeJS.WriteStream, { isDumb: true });
  reporter.task("training", 10, "step").update(5, "loss 1.234");
  reporter.line("mAP 26.8");
  reporter.stop();
  await stream.settled();
  assert.is(stream.terminal.screen().text, "mAP 26.8");
});

test("text wraps between words; a word wider than the terminal stays whole; a pipe changes nothing", () => {
  assert.is(wrapText("  mAP 26.8, mAP50 49.0, loss 1.2345", 20), "  mAP 26.8, mAP50\n    49.0, loss\n    1.2345");
  assert.is(wrapText("wrote /a/path/that/is/longer/than/the/terminal is there", 24), "wrote\n  /a/path/that/is/longer/than/the/terminal\n  is there");
  assert.is(wrapText("歩行者 歩行者 歩行者 26.8", 20), "歩行者 歩行者 歩行者\n  26.8");
  assert.is(wrapText("a ".repeat(200), undefined), "a ".repeat(200));
  assert.is(shortenText("teacher on 640 pictures", 16), "teacher on 640 …");
  assert.is(shortenText("teacher on 640 pictures", 15), "teacher on …");
});

test("names from files cannot move the cursor or hide figures", () => {
  assert.is(printable("car\r\x1b[2J\x1b[1mbold\x1b[22m\tend\x07"), "car\ufffd\ufffd[2J\ufffd[1mbold\ufffd[22m  end\ufffd");
});

test.run();
