import { shown } from "../../escape/names.ts";
import { UserError } from "../../graph/error.ts";
import { crashWords } from "../../runtime/crash.ts";
import type { BenchmarkHooks } from "../target.ts";
import type { RunResult, Transport } from "../transport.ts";
import type { DeviceJob, DeviceReply, DeviceResult, PicturesJob, PicturesResult } from "./job.ts";

export interface DeviceRun<Job extends DeviceJob | PicturesJob> {
  readonly node: string;
  readonly runner: string;
  /** Folder for the job on the device; removed afterwards, but for what the job writes there. */
  readonly jobs: string;
  readonly job: Job;
  readonly timeoutMs: number;
  /** For errors: "int8.onnx on pi5". */
  readonly label: string;
}

/** What goes with the job. */
export const ownFolder = (jobs: string): string => `${jobs}/own`;

/** $1 folder for what the runtime writes, $2 Node.js, $3 runner, $4 file for the job, $5 the job. */
const startScript = `mkdir -p -- "$1" && printf %s "$5" > "$4" && exec env ORT_DISABLE_TELEMETRY=1 "HOME=$1" "XDG_CACHE_HOME=$1" "TMPDIR=$1" "$2" "$3" "$4"`;

type ResultOf<Job> = Job extends DeviceJob ? DeviceResult : PicturesResult;

/** Runs the runner. Throws its UserError, DEVICE_OUT_OF_MEMORY, DEVICE_DIED, and what the transport throws. */
export const runOnDevice = async <Job extends DeviceJob | PicturesJob>(transport: Transport, { node, runner, jobs, job, timeoutMs, label }: DeviceRun<Job>, hooks: BenchmarkHooks): Promise<ResultOf<Job>> => {
  const file = `${jobs}/job.json`;
  let result: DeviceResult | PicturesResult | undefined;
  let failed: Extract<DeviceReply, { kind: "failed" }> | undefined;
  const onLine = (line: string, stream: "stdout" | "stderr"): void => {
    if (stream !== "stdout" || !line.startsWith("{")) return;
    const reply = JSON.parse(line, (_, value: unknown) => (typeof value === "string" ? shown(value) : value)) as DeviceReply;
    if (reply.kind === "progress") {
      if (reply.what === "soak") hooks.onStep?.(`soak of ${label}`, reply.done, reply.total, "second");
      else hooks.onProgress?.(reply.done, reply.total);
    } else if (reply.kind === "moment") hooks.onMoment?.(reply.moment);
    else if (reply.kind === "failed") failed = reply;
    else result = reply;
  };
  // telemetry is off, and should a runtime write files of its own all the same, they go into folders that go with the job
  const own = ownFolder(jobs);
  const ended = await transport.script(startScript, [own, node, runner, file, JSON.stringify(job)], { timeoutMs, signal: hooks.signal, onLine });
  await transport.run(["rm", "-rf", "--", file, own]);
  if (failed) throw failed.code === "" ? died(label, failed.message) : new UserError(failed.code, `${label}: ${failed.message}`, failed.nextStep);
  // ONNX Runtime may crash on its way out after everything was told (free(): invalid pointer on some boards)
  if (!result) throw explainEnd(label, ended);
  return result as ResultOf<Job>;
};

const killed = 137;

const explainEnd = (label: string, { exitCode, stderr }: RunResult): UserError =>
  exitCode === killed || /bad_alloc|out of memory|Cannot allocate memory|Allocation failed/i.test(stderr) ? outOfMemory(label) : died(label, `${crashWords({ exitCode, signal: null }) ?? `exit code ${exitCode}`}; ${stderr.trim().split("\n").slice(-3).join(" ")}`);

const outOfMemory = (label: string): UserError =>
  new UserError("DEVICE_OUT_OF_MEMORY", `${label}: the device ran out of memory.`, "stop other programs there, measure smaller batches, or add swap; `edgestill targets check` shows the free memory.");

const died = (label: string, reason: string): UserError =>
  new UserError("DEVICE_DIED", `${label}: the runner ended early: ${reason.trim()}.`, "check the device with `edgestill targets check`; a model that its ONNX Runtime refuses is named above.");
