import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "../../graph/error.ts";
import type { Transport } from "../transport.ts";
import { parseClocks, type ClockState } from "./power-mode.ts";

/**
 * $1 jetson_clocks, $2 file for the clocks as they were. Locks the clocks, prints "locked", and restores them when it ends, however it ends: a guard in
 * a session of its own, which nothing here kills, starts before the lock, waits for the end of a pipe that only the locking side holds (a jetson_clocks
 * that still runs holds it too), and restores. A file of an earlier run that was cut off is restored first. The locking side writes its exit code to
 * the pipe where it fails.
 */
const lockScript = `
tool=$1 file=$2 root=
[ "$(id -u)" = 0 ] || root="sudo -n"
if [ -s "$file" ]; then $root "$tool" --restore "$file"; fi
rm -f -- "$file"
$root "$tool" --store "$file" >&2 || exit 71
trap : TERM INT HUP PIPE
exec 4>&1
{
  trap 'exit 0' TERM INT HUP PIPE
  $root "$tool" >&2 4>&- || { echo 72; exit 0; }
  echo locked >&4
  sleep 1000000 4>&- & wait
} | (
  trap '' TERM INT HUP
  exec setsid sh -c 'code=$(cat); $1 "$2" --restore "$3"; rm -f -- "$3"; exit "\${code:-0}"' edgestill "$root" "$tool" "$file" 4>&- >/dev/null 2>&1
)`;

/** Longest time that locking may take. */
const lockMs = 30_000;
/** Longest benchmark that holds the lock. */
const holdMs = 12 * 3_600_000;

/** Clocks as `jetson_clocks --show` says; null without the tool or without the right to read them. Throws UserError DEVICE_OUTPUT. */
export const clockState = async (transport: Transport): Promise<ClockState | null> => {
  const { exitCode, stdout } = await transport.script(`root=; [ "$(id -u)" = 0 ] || root="sudo -n"; LC_ALL=C $root jetson_clocks --show`);
  return exitCode === 0 ? parseClocks(stdout) : null;
};

/**
 * Runs `work` with the clocks at the maximum of the power mode and restores them afterwards: on success, failure and interruption, and by the device
 * itself where the connection breaks. Throws UserError LOCK_CLOCKS, and CLOCKS_NOT_RESTORED where they read differently afterwards.
 */
export const withLockedClocks = async <T>(transport: Transport, work: () => Promise<T>): Promise<T> => {
  const before = await clockState(transport);
  if (before?.locked) return work();
  const release = await lock(transport);
  const result = await work().finally(release);
  if (before && !(await isFree(transport))) throw notRestored(transport.label);
  return result;
};

/** Whether the clocks move again; the device restores them in its own time, for which it gets ten seconds. */
const isFree = async (transport: Transport): Promise<boolean> => {
  for (let attempt = 0; attempt < 20; attempt++) {
    if (!(await clockState(transport))?.locked) return true;
    await wait(500);
  }
  return false;
};

const lock = async (transport: Transport): Promise<() => Promise<void>> => {
  const file = `${await transport.cacheFolder()}/clocks.store`;
  const ending = new AbortController();
  let held: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const limit = setTimeout(() => { ending.abort(); reject(cannotLock(transport.label, "jetson_clocks did not answer")); }, lockMs);
    held = transport.script(lockScript, ["jetson_clocks", file], {
      timeoutMs: holdMs, signal: ending.signal, onLine: (line) => { if (line === "locked") { clearTimeout(limit); resolve(); } },
    }).then(({ stderr }) => { throw cannotLock(transport.label, stderr.trim().split("\n").at(-1) ?? ""); })
      .catch((error: unknown) => { clearTimeout(limit); reject(error instanceof Error ? error : new Error(String(error))); });
  });
  return async () => {
    ending.abort();
    await held;
  };
};

const cannotLock = (label: string, reason: string): UserError =>
  new UserError("LOCK_CLOCKS", `${label}: cannot lock the clocks${reason === "" ? "" : `: ${reason}`}.`,
    "allow it without a password: `echo \"$USER ALL=(root) NOPASSWD: /usr/bin/jetson_clocks\" | sudo tee /etc/sudoers.d/edgestill` on the device, or leave --lock-clocks out.");

const notRestored = (label: string): UserError =>
  new UserError("CLOCKS_NOT_RESTORED", `${label}: the clocks are still locked after the benchmark.`, "`sudo jetson_clocks --restore ~/.cache/edgestill/clocks.store` on the device, or restart it.");
