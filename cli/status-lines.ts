import { printable, wrapText } from "./terminal-text.ts";

const drawEveryMs = 200;
/** Erases from the start of the row to the end of the screen. */
const eraseDown = "\r\x1b[J";

/**
 * Lines at the bottom of a terminal that change, under text that stays. The cursor rests, visible, at the start of the first of them: erasing from there takes
 * these lines and nothing else, whatever a resize did to them, and a process that is stopped or killed leaves the terminal as it was. Rows wrap as always for the
 * text that stays; only the changing lines are drawn without wrapping, and fit.
 */
export class StatusLines {
  readonly #stream: NodeJS.WriteStream;
  readonly #lines: (columns: number) => readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #drawnAt = -Infinity;
  #isShown = false;

  /** `lines` gives what to show now, each no wider than `columns`. */
  constructor(stream: NodeJS.WriteStream, lines: (columns: number) => readonly string[]) {
    this.#stream = stream;
    this.#lines = lines;
  }

  /** Text above the lines; it stays, whole. */
  print(text: string): void {
    this.#stream.write(`${this.#isShown ? eraseDown : ""}${wrapText(printable(text), this.#stream.columns)}\n${this.#isShown ? this.#drawing() : ""}`);
  }

  /** Something has changed: it is drawn now, or soon where the last time is not long ago. */
  refresh(): void {
    const wait = this.#drawnAt + drawEveryMs - performance.now();
    if (wait <= 0) this.#draw();
    else this.#timer ??= setTimeout(this.#draw, wait).unref();
  }

  show(): void {
    if (!this.#isShown) {
      this.#stream.on("resize", this.#draw);
      process.once("exit", this.hide);
    }
    this.#isShown = true;
    this.#draw();
  }

  readonly hide = (): void => {
    if (!this.#isShown) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream.off("resize", this.#draw);
    process.off("exit", this.hide);
    this.#isShown = false;
    this.#stream.write(eraseDown);
  };

  readonly #draw = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isShown) this.#stream.write(eraseDown + this.#drawing());
  };

  #drawing(): string {
    this.#drawnAt = performance.now();
    const { columns = 80, rows = 24 } = this.#stream;
    const lines = this.#lines(columns).slice(0, Math.max(1, rows - 1)).map((line) => printable(line).replaceAll("\n", " "));
    return `\x1b[?7l${lines.join("\n")}\x1b[?7h${lines.length > 1 ? `\x1b[${lines.length - 1}A` : ""}\r`;
  }
}
