import { UserError } from "../../graph/error.ts";
import type { DeviceEntry } from "../../targets/inventory.ts";
import { kindOf } from "../../targets/kinds.ts";
import { runPicturesOn } from "../../targets/open.ts";
import type { PicturesHooks } from "../../targets/pictures.ts";
import type { GoldenMachine } from "./check.ts";

interface Following {
  readonly hooks: PicturesHooks;
  readonly end: () => void;
}

/** A device behind ssh runs the files for ONNX Runtime's CPU provider. Throws UserError GOLDEN_TARGET where its kind has nothing that does. */
export const deviceMachine = (entry: DeviceEntry, follow: (signal: AbortSignal | undefined) => Following): GoldenMachine => {
  if (!kindOf(entry).runPictures) throw cannotRun(entry);
  return {
    name: entry.name, roles: ["float", "int8-cpu"],
    run: async (tasks, signal) => {
      const { hooks, end } = follow(signal);
      return runPicturesOn(entry, tasks, hooks).finally(end);
    },
  };
};

const cannotRun = ({ name, kind }: DeviceEntry): UserError =>
  new UserError("GOLDEN_TARGET", `Target "${name}" (${kind}) runs TensorRT engines, which choose their kernels by time: no command here compares their outputs.`,
    "verify without --target checks all else (hashes, signature, schema, pictures, boxes, and the TensorRT file's arithmetic on this machine); on the device, models/tensorrt/build-engine.sh and then cmake -S cpp -B build -DEDGESTILL_BACKEND=tensorrt -DEDGESTILL_ENGINE=<engine>, build and ctest compare the engine's outputs with the golden vectors.");
