/** How commands and files reach a device. One interface for this machine (tests) and for ssh; no kind of target knows which one it has. */

export interface RunOptions {
  /** The command is ended on the device, not only here, when this time is over; throws UserError REMOTE_TIMEOUT. Default 60 s. */
  readonly timeoutMs?: number;
  /** Ends the command on the device; `run` then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Bytes for the command's standard input; a function gets the first line that the command prints, undefined where it prints none.
   * Without them the command reads nothing, and ends with the connection.
   */
  readonly input?: string | AsyncIterable<Uint8Array> | ((firstLine: Promise<string | undefined>) => AsyncIterable<Uint8Array>);
  /** Each line of output as it comes. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Gets standard output as bytes; `stdout` of the result is then empty. */
  readonly onBytes?: (chunk: Uint8Array) => void | Promise<void>;
}

export interface RunResult {
  /** Exit status of the remote command: 127 where there is no such command, 128 + n where signal n ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest time for one copy. */
export const copyTimeoutMs = 3_600_000;

export interface CopyOptions {
  /** Bytes copied of all bytes; starts above 0 where an earlier copy is continued. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** An empty file to make on the device when the whole is there and checked, for a program that waits there. Uploads only. */
  readonly announce?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The right to use a device alone. */
export interface DeviceLock {
  release(): Promise<void>;
}

/**
 * A connection to one device. Every path is absolute on the device; every argument reaches the command as it is, whatever characters it has.
 * Throws UserError SSH_UNREACHABLE, SSH_AUTH, SSH_HOST_KEY or CONNECTION_LOST where the connection is the cause.
 */
export interface Transport {
  /** For people: "pi@pi5.local". */
  readonly label: string;
  /** Runs a program with arguments. A failure of the program is an exit code, not an error. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** As `run`, for a POSIX shell script; `parameters` are its $1, $2, …. */
  script(text: string, parameters?: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Copies a file, goes on where an interrupted copy ended, compares sha256. Throws UserError DEVICE_FULL, COPY_FAILED. */
  upload(localPath: string, remotePath: string, options?: CopyOptions): Promise<void>;
  download(remotePath: string, localPath: string, options?: CopyOptions): Promise<void>;
  mkdir(remotePath: string): Promise<void>;
  exists(remotePath: string): Promise<boolean>;
  /** Text of a file; undefined where there is none or it may not be read (/sys, /proc). */
  readFile(remotePath: string): Promise<string | undefined>;
  writeFile(remotePath: string, text: string): Promise<void>;
  /** The one folder that Edgestill uses on the device: $XDG_CACHE_HOME/edgestill or ~/.cache/edgestill. */
  cacheFolder(): Promise<string>;
  /** Where `cached` keeps a file. */
  cachedPath(sha256: string, name: string): Promise<string>;
  /** Path on the device of a file kept by its sha256; copied only where it is not there yet. `name` keeps the ending readable. */
  cached(localPath: string, sha256: string, name: string, options?: CopyOptions): Promise<string>;
  /** One benchmark at a time. A lock whose owner is gone is taken over. Throws UserError DEVICE_BUSY with the owner. */
  lock(owner: string): Promise<DeviceLock>;
  /** Empties the cache folder; the bytes that were freed. Throws UserError DEVICE_BUSY while a benchmark runs. */
  clean(): Promise<number>;
  close(): Promise<void>;
}
