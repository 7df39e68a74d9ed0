import type { DatasetItem } from "./datasets/dataset.ts";
import { decodeImage } from "./image.ts";
import { fit } from "./preprocess.ts";
import { resizeBilinear } from "./resize.ts";
import type { Box, Image8, LabelledBox, Preprocess } from "./types.ts";

/** A picture and its objects in the picture's own pixels. */
export interface Sample {
  readonly image: Image8;
  readonly boxes: readonly LabelledBox[];
}

/** Where augmentation takes pictures from. Samples are shared: read only. */
export interface SampleSource {
  readonly length: number;
  get(index: number): Promise<Sample>;
}

export interface SampleCacheOptions {
  /** RAM for decoded pictures; beyond it pictures are decoded anew each time. Default 512 MiB. */
  readonly budgetBytes?: number;
  readonly maxPixels?: number;
}

/** Pictures are kept at most this much larger than the network sees them: room for augmentation to enlarge. */
const headroom = 1.3;

/**
 * A dataset's pictures for training: decoded once, shrunk (`resizeBilinear`) to at most 1.3 times the scale of the network's input,
 * kept in RAM up to a budget. What `get` gives does not depend on what is kept. Not for evaluation: that starts from all pixels.
 */
export class SampleCache implements SampleSource {
  readonly #items: readonly Pick<DatasetItem, "path" | "boxes">[];
  readonly #contract: Preprocess;
  readonly #budgetBytes: number;
  readonly #maxPixels: number | undefined;
  readonly #kept = new Map<number, Sample>();
  readonly #pending = new Map<number, Promise<Sample>>();
  #usedBytes = 0;

  constructor(items: readonly Pick<DatasetItem, "path" | "boxes">[], contract: Preprocess, options: SampleCacheOptions = {}) {
    this.#items = items;
    this.#contract = contract;
    this.#budgetBytes = options.budgetBytes ?? 512 * 2 ** 20;
    this.#maxPixels = options.maxPixels;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Bytes of decoded pictures now in RAM. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** @throws UserError of `decodeImage`, naming the file. */
  async get(index: number): Promise<Sample> {
    const known = this.#kept.get(index) ?? this.#pending.get(index);
    if (known) return known;
    const loading = this.#load(index).finally(() => this.#pending.delete(index));
    this.#pending.set(index, loading);
    return loading;
  }

  async #load(index: number): Promise<Sample> {
    const item = this.#items[index];
    if (!item) throw new Error(`bug: sample ${index} of ${this.#items.length}`);
    const image = await decodeImage(item.path, this.#maxPixels !== undefined ? { maxPixels: this.#maxPixels } : {});
    const sample = shrink({ image, boxes: item.boxes ?? [] }, this.#contract);
    const bytes = sample.image.data.length;
    if (this.#usedBytes + bytes > this.#budgetBytes) return sample;
    this.#usedBytes += bytes;
    this.#kept.set(index, sample);
    return sample;
  }
}

function shrink(sample: Sample, contract: Preprocess): Sample {
  const { width, height } = sample.image;
  const { scaleX, scaleY } = fit(contract, width, height);
  const toWidth = Math.min(width, Math.ceil(width * scaleX * headroom));
  const toHeight = Math.min(height, Math.ceil(height * scaleY * headroom));
  if (toWidth === width && toHeight === height) return sample;
  const boxes = sample.boxes.map((label) => ({ ...label, box: scaled(label.box, toWidth / width, toHeight / height) }));
  return { image: resizeBilinear(sample.image, toWidth, toHeight), boxes };
}

const scaled = ([x, y, w, h]: Box, sx: number, sy: number): Box => [x * sx, y * sy, w * sx, h * sy];
