import { stat } from "node:fs/promises";
import { readSealed, sealedText, type Damage } from "./seal.ts";

/** Facts about a file's content, by name; they are merged, each is set once. */
export type Facts = Readonly<Record<string, unknown>>;

/**
 * A file that changed so shortly before it was read may change again without another time stamp: some file systems count in steps of
 * 2 s. Nothing is kept of it, so the next run reads it again.
 */
const settledMs = 2000;

interface Entry {
  /** Size, times of change of content and of the file's record, and inode, as the system gave them. */
  readonly stamp: string;
  readonly facts: Facts;
}

interface Stamp {
  readonly text: string;
  readonly changedMs: number;
}

/**
 * What was found out about the content of files, for the next time: it counts while path, size, times (nanoseconds) and inode are the same. The time of
 * change of the file's record (ctime) cannot be set back, so that a file that is rewritten with its old size and time is read again.
 * Files that are not asked for are forgotten when it is saved.
 */
export class FileFacts {
  readonly #known: ReadonlyMap<string, Entry>;
  readonly #now = new Map<string, Entry>();
  readonly #of: string;
  /** What was wrong with the record that it was opened from. */
  readonly damage: Damage | undefined;

  private constructor(of: string, known: ReadonlyMap<string, Entry>, damage: Damage | undefined) {
    this.#of = of;
    this.#known = known;
    this.damage = damage;
  }

  /** Facts kept in a record of `of`; none where there is no such record. */
  static async open(record: string | undefined, of: string): Promise<FileFacts> {
    if (record === undefined) return new FileFacts(of, new Map(), undefined);
    const { content, damage } = await readSealed(record, of);
    const files = (content as { readonly files: Readonly<Record<string, readonly [string, Facts]>> } | undefined)?.files ?? {};
    const known = new Map(Object.entries(files).map(([path, [stamp, facts]]) => [path, { stamp, facts }]));
    return new FileFacts(of, known, damage === "is missing" ? undefined : damage);
  }

  /** The fact of a file, read by `read` where it is not known of the file as it is. What `read` throws is not kept. */
  async get<Fact>(path: string, name: string, read: () => Promise<Fact>): Promise<Fact> {
    const before = await stampOf(path);
    const entry = this.#entry(path, before);
    if (entry && name in entry.facts) return entry.facts[name] as Fact;
    const started = Date.now();
    const fact = await read();
    const after = await stampOf(path);
    if (before && after?.text === before.text && before.changedMs < started - settledMs) {
      this.#now.set(path, { stamp: before.text, facts: { ...this.#entry(path, before)?.facts, [name]: fact } });
    }
    return fact;
  }

  #entry(path: string, stamp: Stamp | undefined): Entry | undefined {
    const entry = this.#now.get(path) ?? this.#known.get(path);
    if (!stamp || entry?.stamp !== stamp.text) return undefined;
    this.#now.set(path, entry);
    return entry;
  }

  /** Whether it knows something that its record does not hold. */
  get isNew(): boolean {
    return this.damage !== undefined || this.#now.size !== this.#known.size || [...this.#now].some(([path, entry]) => this.#known.get(path) !== entry);
  }

  /** The record, for `open`. */
  text(): string {
    return sealedText(this.#of, { files: Object.fromEntries([...this.#now].map(([path, { stamp, facts }]) => [path, [stamp, facts]])) }, 0);
  }
}

const stampOf = async (path: string): Promise<Stamp | undefined> => {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (!found) return undefined;
  const { size, mtimeNs, ctimeNs, ino, mtimeMs, ctimeMs } = found;
  return { text: `${size} ${mtimeNs} ${ctimeNs} ${ino}`, changedMs: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) };
};
