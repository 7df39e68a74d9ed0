import { textTable } from "../cli/text-table.ts";

/** A table that a benchmark prints: the first column on the left, figures on the right. */
export class Table {
  readonly #head: readonly string[];
  readonly #rows: string[][] = [];

  constructor(head: readonly string[]) {
    this.#head = head;
  }

  push(...rows: readonly (readonly (string | number)[])[]): void {
    this.#rows.push(...rows.map((row) => row.map(String)));
  }

  toString(): string {
    return textTable(this.#head.map((head, at) => ({ head, align: at === 0 ? "left" : "right" })), this.#rows);
  }
}
