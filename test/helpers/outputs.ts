import type { Tensor } from "../../graph/tensor.ts";
import { openSession, type Feeds, type SessionOptions } from "../../runtime/session.ts";

export type Outputs = readonly Readonly<Record<string, Tensor>>[];

/** What a model gives for each of the pictures, on one thread. */
export const outputsOf = async (model: Uint8Array, pictures: readonly Feeds[], options: SessionOptions): Promise<Outputs> => {
  const session = await openSession(model, { threads: 1, ...options });
  try {
    const results = [];
    for (const picture of pictures) results.push(await session.run(picture));
    return results;
  } finally {
    await session.close();
  }
};
