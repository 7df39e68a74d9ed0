import { env } from "node:process";
import { isMainThread } from "node:worker_threads";
import { UserError } from "../graph/error.ts";

/**
 * ONNX Runtime 1.30 holds a telemetry client: with the first model it reads the machine's id, writes a device id and an event database with the
 * model's name below the user's cache folder, and looks up the vendor's event host. This environment variable, set before the native library loads,
 * turns it off; so this module is imported before `onnxruntime-node` wherever that is.
 */
const variable = "ORT_DISABLE_TELEMETRY";

/** Throws UserError TELEMETRY in a worker thread that has a copy of the environment: what is set there, native code does not see. */
const turnOff = (): void => {
  if (!isMainThread && env[variable] !== "1") throw telemetryOn();
  env[variable] = "1";
};

const telemetryOn = (): UserError =>
  new UserError("TELEMETRY", `ONNX Runtime's telemetry cannot be turned off from a worker thread, and ${variable} is not set.`,
    `set ${variable}=1 in the environment of the program, or import edgestill in the main thread before the worker starts.`);

turnOff();
