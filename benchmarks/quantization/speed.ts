import type { Graph } from "../../graph/graph.ts";
import { openSession, type Feeds, type SessionOptions } from "../../runtime/session.ts";

export interface Racer {
  readonly name: string;
  readonly graph: Graph;
  readonly session: SessionOptions;
}

/** Milliseconds per inference by racer: CPU time on one thread, which other processes disturb least; the racers take turns. */
export const race = async (racers: readonly Racer[], feed: Feeds, rounds: number): Promise<ReadonlyMap<string, number>> => {
  const sessions = await Promise.all(racers.map(({ graph, session }) => openSession(graph, { threads: 1, ...session })));
  const samples = racers.map(() => [] as number[]);
  for (let round = 0; round < rounds + 2; round++) {
    for (const [index, session] of sessions.entries()) {
      const start = process.cpuUsage();
      await session.run(feed);
      const { user, system } = process.cpuUsage(start);
      if (round >= 2) samples[index]!.push((user + system) / 1000);
    }
  }
  await Promise.all(sessions.map((session) => session.close()));
  return new Map(racers.map(({ name }, index) => [name, samples[index]!.sort((a, b) => a - b)[Math.floor(rounds / 4)]!]));
};
