import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { damageOf, readSealed, sealedText, sealOf, type Damage, type FileSeal } from "../files/seal.ts";
import { writeWhole } from "../files/write.ts";
import { UserError } from "../graph/error.ts";
import { elementCount, Tensor } from "../graph/tensor.ts";
import type { TeacherView } from "./assign.ts";
import { widen } from "./half.ts";

/** One tensor of a record, float16 on disk; `shape` is without the batch dimension. */
export interface Section {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Where the teacher's outputs lie: one file per variant, one record of fixed size per picture, in dataset order. */
export interface TeacherCacheFiles {
  /** Path by variant. */
  readonly files: readonly string[];
  /** The first two are always `teacher/scores` [C, A] and `teacher/boxes` [4, A] (corners, network pixels / `boxScale`). */
  readonly sections: readonly Section[];
  readonly pictures: number;
}

/** Boxes are kept in units of the smallest stride. float16 keeps 11 significant bits: they are rounded by at most 1/8 pixel below 512 pixels. */
export const boxScale = 8;

export const recordBytes = (sections: readonly Section[]): number => 2 * sections.reduce((sum, { shape }) => sum + elementCount(shape), 0);

/** The record beside a file of outputs that holds its digest: `variant-0.json`. */
export class OutputsSeal {
  readonly #file: string;
  readonly #of: string;
  readonly #sizeBytes: number;

  /** `of` is all that the outputs depend on. */
  constructor(file: string, of: string, sizeBytes: number) {
    this.#file = file;
    this.#of = of;
    this.#sizeBytes = sizeBytes;
  }

  get #record(): string { return join(dirname(this.#file), `${basename(this.#file, extname(this.#file))}.json`); }

  /** True where the file is there as it was written; `onDamage` hears what is wrong where it was begun at all. */
  async isWhole(onDamage?: (path: string, damage: Damage) => void): Promise<boolean> {
    const { content, damage } = await readSealed(this.#record, this.#of);
    if (damage !== undefined) {
      const lone = damage === "is missing" && !existsSync(this.#file);
      if (!lone) onDamage?.(this.#record, damage);
      return false;
    }
    const seal = content as FileSeal;
    const broken = seal.sizeBytes === this.#sizeBytes ? await damageOf(dirname(this.#file), seal) : "belongs to something else";
    if (broken !== undefined) onDamage?.(this.#file, broken);
    return broken === undefined;
  }

  async write(): Promise<void> {
    await writeWhole(this.#record, sealedText(this.#of, await sealOf(dirname(this.#file), basename(this.#file))));
  }

  async remove(): Promise<void> {
    await rm(this.#record, { force: true });
  }
}

/** Records of one batch. */
export interface TeacherRecords {
  /** By section name, [N, …shape]. */
  readonly tensors: Record<string, Tensor>;
  /** Scores and corners of picture `index` of the batch. */
  view(index: number): TeacherView;
}

/** Opens the files for reading. Throws UserError TEACHER_CACHE where one is missing or has another size. */
export const openTeacherCache = ({ files, sections, pictures }: TeacherCacheFiles) => {
  const bytes = recordBytes(sections);
  for (const file of files) {
    if (statSync(file, { throwIfNoEntry: false })?.size !== bytes * pictures) throw brokenCache(file);
  }
  const handles = new Map<number, number>();
  const handle = (variant: number): number => {
    const known = handles.get(variant);
    if (known !== undefined) return known;
    const opened = openSync(files[variant]!, "r");
    handles.set(variant, opened);
    return opened;
  };
  const read = (variant: number, chosen: readonly number[]): TeacherRecords => {
    const values = sections.map(({ shape }) => new Float32Array(chosen.length * elementCount(shape)));
    const record = new Uint16Array(bytes / 2);
    for (const [i, picture] of chosen.entries()) {
      const got = readSync(handle(variant), record, 0, bytes, picture * bytes);
      if (got !== bytes) throw brokenCache(files[variant]!);
      let from = 0;
      for (const [s, { shape }] of sections.entries()) {
        const length = elementCount(shape);
        widen(record.subarray(from, from + length), values[s]!, i * length);
        from += length;
      }
    }
    const boxes = values[1]!;
    for (let i = 0; i < boxes.length; i++) boxes[i]! *= boxScale;
    const slice = (s: number, i: number) => values[s]!.subarray(i * elementCount(sections[s]!.shape), (i + 1) * elementCount(sections[s]!.shape));
    return {
      tensors: Object.fromEntries(sections.map(({ name, shape }, s) => [name, Tensor.of("float32", [chosen.length, ...shape], values[s]!)])),
      view: (i) => ({ scores: slice(0, i), corners: slice(1, i) }),
    };
  };
  const close = (): void => { for (const opened of handles.values()) closeSync(opened); };
  return { read, close };
};

const brokenCache = (file: string) =>
  new UserError("TEACHER_CACHE", `The teacher's cached outputs ${file} are missing or incomplete.`, "run the same command again: they are computed anew.");
