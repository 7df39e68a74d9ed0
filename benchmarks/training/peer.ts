import { execa } from "execa";
import type { layerList } from "./net.ts";

export interface Batch {
  readonly seconds: readonly number[];
  readonly loss: number;
  readonly peakBytes: number;
}

/** A trainer that runs `steps` when asked and is idle otherwise, so that trainers can take turns. */
export interface Trainer {
  readonly name: string;
  steps(count: number): Promise<Batch>;
  close(): Promise<void>;
}

export interface PeerOptions {
  readonly python: string;
  readonly layout: "default" | "channels_last";
  readonly threads: number;
  readonly input: readonly number[];
}

/** Starts benchmarks/peers/train.py in a process of its own. */
export const startPeer = async (net: ReturnType<typeof layerList>, options: PeerOptions): Promise<Trainer & { readonly version: string; readonly parameters: number }> => {
  const script = new URL("../peers/train.py", import.meta.url).pathname;
  const child = execa(options.python, [script], { stderr: "inherit" });
  const lines: AsyncIterator<unknown, unknown> = child.iterable();
  const answer = async (): Promise<unknown> => {
    const next = await lines.next();
    if (next.done) throw new Error("the PyTorch peer ended early");
    return JSON.parse(String(next.value)) as unknown;
  };
  const send = (line: string): void => void child.stdin.write(`${line}\n`);
  send(JSON.stringify({ ...net, ...options }));
  const { torch, parameters } = (await answer()) as { torch: string; parameters: number };
  return {
    name: `PyTorch ${torch.split("+")[0]}, ${options.layout.replace("_", " ")}`, version: torch, parameters,
    steps: (count) => { send(String(count)); return answer() as Promise<Batch>; },
    close: async () => { child.stdin.end(); await child; },
  };
};
