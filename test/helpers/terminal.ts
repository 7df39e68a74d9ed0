import xterm from "@xterm/headless";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";

const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");

/** What a terminal shows in the end, scrolled-off rows included. */
export interface Screen {
  /** Row by row as seen, trailing blanks off. */
  readonly rows: readonly string[];
  /** Rows that the terminal itself continued are one line. */
  readonly lines: readonly string[];
  /** All text with single spaces between words. */
  readonly text: string;
  readonly cursorHidden: boolean;
}

/** A terminal emulator that is fed with what a program writes. */
export class TestTerminal {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  #cursorHidden = false;

  constructor(columns: number, rows = 24) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, convertEol: true, allowProposedApi: true });
  }

  write(text: string | Uint8Array): Promise<void> {
    const modes = Buffer.from(text).toString().match(/\x1b\[\?25[hl]/g);  
    if (modes) this.#cursorHidden = modes.at(-1)!.endsWith("l");
    return new Promise((resolve) => { this.#terminal.write(text, resolve); });
  }

  resize(columns: number, rows = 24): void {
    this.#terminal.resize(columns, rows);
  }

  screen(): Screen {
    const { active } = this.#terminal.buffer;
    const rows: string[] = [];
    const lines: string[] = [];
    for (let at = 0; at < active.length; at++) {
      const row = active.getLine(at)!;
      rows.push(row.translateToString(true));
      // a wide character that does not fit leaves the last cell of its row unwritten
      const text = row.translateToString(!active.getLine(at + 1)?.isWrapped, 0, row.getCell(row.length - 1)?.getChars() === "" ? row.length - 1 : row.length);
      if (row.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return { rows, lines, text: lines.join(" ").replace(/\s+/g, " ").trim(), cursorHidden: this.#cursorHidden };
  }
}

/** A stream as `process.stderr` is on a terminal. */
export class TerminalStream extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly terminal: TestTerminal;
  #written: Promise<void> = Promise.resolve();

  constructor(columns: number, rows = 24) {
    super({ decodeStrings: false });
    [this.columns, this.rows, this.terminal] = [columns, rows, new TestTerminal(columns, rows)];
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.#written = this.terminal.write(chunk);
    void this.#written.then(done);
  }

  /** All that was written is on the screen. */
  settled(): Promise<void> {
    return new Promise((resolve) => { this.write("", () => { void this.#written.then(resolve); }); });
  }

  /** The window gets another size; the program learns of it afterwards. */
  async resize(columns: number, rows = 24): Promise<void> {
    await this.settled();
    this.terminal.resize(columns, rows);
    [this.columns, this.rows] = [columns, rows];
    this.emit("resize");
  }
}

/** Why pseudo-terminals cannot be had here; undefined where they can: util-linux's `script` opens them. */
export const noPty = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "") ? undefined : "util-linux's `script` is not here";

export interface PtyOptions {
  readonly columns: number;
  readonly rows?: number;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Shell redirections behind the command, such as `> out.txt`. */
  readonly redirect?: string;
  /** Called with all output so far: may press keys ("\x03" is Ctrl-C) or make the window another size. */
  readonly onOutput?: (text: string, keys: { readonly press: (keys: string) => void; readonly resize: (columns: number) => void }) => void;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The real command line in a pseudo-terminal of that size; `output` is what the terminal was sent. */
export const inPty = async (args: readonly string[], { columns, rows = 24, cwd, env = {}, redirect = "", onOutput }: PtyOptions) => {
  const command = [process.execPath, "--import", import.meta.resolve("tsx"), main, ...args].map(quoted).join(" ");
  const terminal = new TestTerminal(columns, rows);
  const device = join(await mkdtemp(join(tmpdir(), "edgestill-tty-")), "name");
  const child = spawn("script", ["-qec", `stty cols ${columns} rows ${rows}; tty > ${quoted(device)}; ${command} ${redirect}`, "/dev/null"], {
    cwd, stdio: ["pipe", "pipe", "ignore"], env: { ...environment, TERM: "xterm-256color", ...env },
  });
  if (!onOutput) child.stdin.end();
  let output = "";
  for await (const part of child.stdout as AsyncIterable<Buffer>) {
    output += part.toString();
    await terminal.write(part);
    onOutput?.(output, {
      press: (keys) => child.stdin.write(keys),
      resize: (wanted) => {
        terminal.resize(wanted, rows);
        spawnSync("stty", ["-F", readFileSync(device, "utf8").trim(), "cols", String(wanted)]);
      },
    });
  }
  const exitCode = child.exitCode ?? (await new Promise<number | null>((resolve) => { child.on("exit", resolve); }));
  await rm(dirname(device), { recursive: true });
  return { exitCode, output, screen: terminal.screen() };
};

/** Without what tells programs of colours and of a CI. */
const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, CI: _ci, ...environment } = process.env;
