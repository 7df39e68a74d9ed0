import type { KindContext, Probe } from "../kind.ts";
import { probeLinux, type LinuxFacts } from "../linux/probe.ts";
import { findingsOf } from "../linux/requirements.ts";
import { clockState } from "./clocks.ts";
import { readJetson, type JetsonFacts } from "./device.ts";
import { jetsonRequirements, moreFacts } from "./requirements.ts";
import type { JetsonSettings } from "./settings.ts";

export interface JetsonProbe extends Probe {
  readonly linux: LinuxFacts;
  readonly jetson: JetsonFacts;
}

/** What any Linux board says, and what only a Jetson has. */
export const probeJetson = async ({ transport, settings }: KindContext<JetsonSettings>, signal?: AbortSignal, requirements = jetsonRequirements): Promise<JetsonProbe> => {
  const [linux, jetson, clocks] = await Promise.all([probeLinux(transport, undefined, signal), readJetson(transport, signal), clockState(transport)]);
  const facts = { ...linux, more: { ...moreFacts(jetson), clocks: clocks === null ? null : clocks.locked ? "locked" : "not locked" } };
  return { facts, findings: findingsOf(requirements, facts, settings), linux, jetson };
};
