import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GoldenMachine } from "../../bundle/golden/check.ts";
import { readKey } from "../../bundle/signature.ts";
import { verifyBundle, type Verification } from "../../bundle/verify.ts";
import type { Trust } from "../../targets/code-keys.ts";
import { benchmarkHooks, silentReporter, type Reporter } from "../progress.ts";

export interface VerifyRunOptions extends Trust {
  /** PEM file of the public key that must have signed. */
  readonly key?: string;
  readonly run?: boolean;
  /** Where the models run: a name of the inventory, or user@host; default this machine. */
  readonly target?: string;
  /** The inventory's file; default targets.yaml here, where there is one. */
  readonly targets?: string;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
}

/** Checks a bundle, folder or archive; see `verifyBundle`, `unpackArchive` and `deviceMachine`. */
export const verifyBundleFolder = async (bundle: string, { key, target, targets, allowCode = true, reporter = silentReporter, ...options }: VerifyRunOptions = {}): Promise<Verification> => {
  const publicKey = key === undefined ? undefined : await readKey(key, "public");
  const machine = target === undefined || target === "local" ? undefined : await machineOf(target, targets, { allowCode }, reporter);
  return unpacked(bundle, (folder) => verifyBundle(folder, { ...options, ...(publicKey && { key: publicKey }), ...(machine && { machine }) }));
};

/** Throws UserError INVENTORY, UNKNOWN_TARGET, GOLDEN_TARGET. */
const machineOf = async (target: string, targets: string | undefined, trust: Trust, reporter: Reporter): Promise<GoldenMachine | undefined> => {
  const { chooseTargets, findInventory, isDevice } = await import("../../targets/inventory.ts");
  const { deviceMachine } = await import("../../bundle/golden/device.ts");
  const [entry] = chooseTargets(await findInventory(targets, trust), [target]);
  return isDevice(entry!) ? deviceMachine(entry, (signal) => benchmarkHooks(reporter, `golden vectors on ${entry.name}`, signal)) : undefined;
};

/** Gives `work` the bundle's folder; an archive's is temporary. */
const unpacked = async <Result>(bundle: string, work: (folder: string) => Promise<Result>): Promise<Result> => {
  if (!(await stat(bundle).catch(() => undefined))?.isFile()) return work(bundle);
  const { unpackArchive } = await import("../../bundle/unpack.ts");
  const scratch = await mkdtemp(join(tmpdir(), "edgestill-verify-"));
  try {
    return await work(await unpackArchive(bundle, scratch));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};
