import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../graph/error.ts";
import { deviceLimits } from "../input/limits.ts";
import { sha256File } from "../files/digest.ts";
import { runOn, type Connection } from "./remote-command.ts";
import { cacheFolderScript, holdLock, receiveFile } from "./shell.ts";
import { copyTimeoutMs, type CopyOptions, type DeviceLock, type RunOptions, type RunResult, type Transport } from "./transport.ts";

/** Copies go on after a broken connection this often. */
const copyAttempts = 3;

/** A transport over any connection: everything is a shell command on the device. */
export const transportOver = (connection: Connection): Transport => {
  const { label } = connection;
  let cache: Promise<string> | undefined;
  const run = (argv: readonly string[], options?: RunOptions): Promise<RunResult> => runOn(connection, argv, options);
  const script = (text: string, parameters: readonly string[] = [], options?: RunOptions): Promise<RunResult> => run(["sh", "-c", text, "edgestill", ...parameters], options);
  const output = async (text: string, parameters: readonly string[] = [], options?: RunOptions): Promise<string> => {
    const { exitCode, stdout, stderr } = await script(text, parameters, options);
    if (exitCode !== 0) throw deviceError(label, parameters[0] ?? text, stderr);
    return stdout.trim();
  };
  const cacheFolder = (): Promise<string> => (cache ??= output(cacheFolderScript).then((path) => {
    if (!/^\/[^\n\r\0]*$/.test(path)) throw badDeviceAnswer(label, "the cache folder", `"${path.slice(0, 80)}" is no path`);
    return path;
  }));
  const cachedPath = async (sha256: string, name: string): Promise<string> => `${await cacheFolder()}/files/${sha256}/${name}`;

  const send = async (localPath: string, remotePath: string, sha256: string, options: CopyOptions = {}): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await sendOnce(localPath, remotePath, sha256, options);
        return;
      } catch (error) {
        if (!(error instanceof UserError && error.code === "CONNECTION_LOST") || attempt === copyAttempts) throw error;
      }
    }
  };

  /** One round trip: the device says what it has of the file, takes the rest and checks the whole. */
  const sendOnce = async (localPath: string, remotePath: string, sha256: string, { onProgress, announce = "", signal }: CopyOptions): Promise<void> => {
    const { size } = await stat(localPath);
    const part = `${remotePath}.${sha256.slice(0, 12)}.part`;
    const { exitCode, stdout, stderr } = await script(receiveFile, [remotePath, sha256, String(size), part, announce], {
      input: (answer) => missingBytes(localPath, answer, size, onProgress), signal, timeoutMs: copyTimeoutMs,
    });
    if (exitCode === 0) return;
    if (exitCode === 5) {
      const [have = 0, freeKiB = 0] = numbersOf(stdout);
      throw deviceFull(label, remotePath, size - have, 1024 * freeKiB);
    }
    throw exitCode === 3 || exitCode === 4 ? copyFailed(label, remotePath) : deviceError(label, remotePath, stderr);
  };

  const download = async (remotePath: string, localPath: string, { onProgress, signal }: CopyOptions = {}): Promise<void> => {
    const [bytes = "", sha256 = ""] = (await output(`wc -c < "$1" && sha256sum < "$1"`, [remotePath], { signal, timeoutMs: 300_000 })).split(/\s+/);
    const total = Number(bytes);
    if (!/^[0-9a-f]{64}$/.test(sha256) || !/^\d+$/.test(bytes) || total > deviceLimits.fileBytes) throw badDeviceAnswer(label, remotePath, `${bytes.slice(0, 40)} bytes of sha256 ${sha256.slice(0, 80)}`);
    await mkdir(dirname(localPath), { recursive: true });
    const part = `${localPath}.${sha256.slice(0, 12)}.part`;
    const file = await open(part, "a");
    try {
      let done = (await file.stat()).size;
      await script(`tail -c "+$2" -- "$1"`, [remotePath, String(done + 1)], {
        signal, timeoutMs: copyTimeoutMs,
        onBytes: async (chunk) => {
          if ((done += chunk.length) > total) throw badDeviceAnswer(label, remotePath, `more than the ${total} bytes that it has`);
          await file.write(chunk);
          onProgress?.(done, total);
        },
      });
    } finally {
      await file.close();
    }
    if (await sha256File(part) !== sha256) {
      await rm(part);
      throw copyFailed(label, remotePath);
    }
    await rename(part, localPath);
  };

  const lock = async (owner: string): Promise<DeviceLock> => {
    const controller = new AbortController();
    const released = new Error("released");
    let held: () => void = () => undefined;
    const got = new Promise<"held">((resolve) => { held = () => resolve("held"); });
    const holding = script(holdLock, [owner], { signal: controller.signal, timeoutMs: 2 ** 31 - 1, onLine: (line) => { if (line === "locked") held(); } });
    const ended = holding.catch((error: unknown) => { if (error !== released) throw error; });
    const first = await Promise.race([got, ended]);
    if (first !== "held") {
      if (first?.exitCode === 76) return lock(owner);
      throw first?.exitCode === 75 ? deviceBusy(label, first.stdout.trim()) : deviceError(label, "the lock", first?.stderr ?? "");
    }
    ended.catch(() => undefined); // a connection that breaks later is told by the command that needs it
    return { release: async () => { controller.abort(released); await ended.catch(() => undefined); } };
  };

  return {
    label, run, script, download, cacheFolder, cachedPath, lock,
    upload: async (localPath, remotePath, options) => send(localPath, remotePath, await sha256File(localPath), options),
    mkdir: async (path) => { await output(`mkdir -p -- "$1"`, [path]); },
    exists: async (path) => (await run(["test", "-e", path])).exitCode === 0,
    readFile: async (path) => {
      const { exitCode, stdout } = await run(["cat", "--", path]);
      return exitCode === 0 ? stdout : undefined;
    },
    writeFile: async (path, text) => {
      const { exitCode, stderr } = await script(`mkdir -p -- "$(dirname -- "$1")" && cat > "$1"`, [path], { input: text });
      if (exitCode !== 0) throw deviceError(label, path, stderr);
    },
    cached: async (localPath, sha256, name, options) => {
      const path = await cachedPath(sha256, name);
      await send(localPath, path, sha256, options);
      return path;
    },
    clean: async () => {
      const held = await lock("targets clean");
      try {
        const folder = await cacheFolder();
        cache = undefined;
        return 1024 * Number(await output(`du -sk -- "$1" | cut -f 1 && rm -rf -- "$1"`, [folder], { timeoutMs: 300_000 }));
      } finally {
        await held.release();
      }
    },
    close: () => connection.close(),
  };
};

const numbersOf = (line: string): number[] => {
  const numbers = line.trim().split(" ").map(Number);
  return numbers.every((value) => Number.isSafeInteger(value) && value >= 0) ? numbers : [];
};

/** What the device lacks of the file, after its answer (receiveFile). */
async function* missingBytes(path: string, answer: Promise<string | undefined>, total: number, onProgress: CopyOptions["onProgress"]): AsyncGenerator<Uint8Array> {
  const line = await answer;
  if (line === undefined) return;
  const [have = 0, freeKiB = 0] = line === "done" ? [total] : numbersOf(line);
  if (1024 * freeKiB < total - have) return;
  let done = have;
  onProgress?.(done, total);
  if (done === total) return;
  for await (const chunk of createReadStream(path, { start: done, highWaterMark: 256 << 10 })) {
    yield chunk as Uint8Array;
    done += (chunk as Uint8Array).length;
    onProgress?.(done, total);
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const deviceFull = (label: string, path: string, needed: number, free: number): UserError =>
  new UserError("DEVICE_FULL", `${label}: ${path} needs ${mebibytes(needed)}, the device has ${mebibytes(free)} left.`, "free space there; `edgestill targets clean` removes what Edgestill keeps.");

const deviceError = (label: string, path: string, stderr: string): UserError =>
  /No space left|quota exceeded/i.test(stderr)
    ? new UserError("DEVICE_FULL", `${label}: no space is left for ${path}.`, "free space there; `edgestill targets clean` removes what Edgestill keeps.")
    : new UserError("DEVICE_COMMAND", `${label}: ${path.split("\n")[0]} failed: ${stderr.trim().split("\n").at(-1) ?? ""}.`, "check rights and tools of the device with `edgestill targets check`.");

const badDeviceAnswer = (label: string, path: string, answer: string): UserError =>
  new UserError("DEVICE_ANSWER", `${label}: what it says of ${path} cannot be: ${answer}.`, "check the device with `edgestill targets check` and run the command again.");

const copyFailed = (label: string, path: string): UserError =>
  new UserError("COPY_FAILED", `${label}: what arrived as ${path} is not what was sent (sha256 differs).`, "run the command again; if it repeats, check the memory card and cable of the device.");

const deviceBusy = (label: string, owner: string): UserError =>
  new UserError("DEVICE_BUSY", `${label} is in use by ${owner === "" ? "another run of Edgestill" : owner}.`, "wait for its end: two benchmarks at once would measure each other.");
