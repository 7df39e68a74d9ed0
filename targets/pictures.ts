import type { SessionOptions } from "../runtime/file-session.ts";
import type { OutputTensor } from "../vision/decode.ts";
import type { Image8, Preprocess } from "../vision/types.ts";

/** A model to run on pictures, for what it computes and not for its time. */
export interface PicturesTask {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly session: SessionOptions;
  readonly contract: Preprocess;
  readonly pictures: readonly Image8[];
}

/** What a machine made of one picture. */
export interface PictureAnswer {
  /** Of the input tensor's bytes; absent where this machine made it. */
  readonly tensorSha256?: string;
  /** All outputs of the model. */
  readonly outputs: readonly OutputTensor[];
}

export interface PicturesHooks {
  readonly onProgress?: (done: number, total: number) => void;
  readonly onStep?: (label: string, done: number, total: number, unit: string) => void;
  readonly onNote?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}
