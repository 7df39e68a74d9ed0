import { writeSync } from "node:fs";
import { endWithParent } from "./lifeline.ts";
import { onNativeWork } from "./native-work.ts";
import { workLine } from "./work-watch.ts";

/**
 * From now on this process writes what native code does to `workDescriptor` (a WorkWatch reads it there), and ends when the process at the other end of
 * `lifeDescriptor` is gone. `everyMs`: no more than one line in so long, for work that is being timed.
 */
export const tellParent = (workDescriptor: number, lifeDescriptor: number, everyMs = 0): void => {
  let [isTied, writtenAt, last] = [false, -Infinity, ""];
  onNativeWork((work) => {
    if (!isTied) { // before the first native call: until then the main thread sees the end itself
      isTied = true;
      endWithParent(lifeDescriptor);
    }
    if (everyMs > 0) {
      if (!work || (work.doing === last && performance.now() - writtenAt < everyMs)) return;
      [writtenAt, last] = [performance.now(), work.doing];
    }
    write(workDescriptor, workLine(work));
  });
};

/** A watcher that is gone is the lifeline's business, and a line that does not fit now is followed by others. */
const write = (descriptor: number, line: string): void => {
  try {
    writeSync(descriptor, line);
  } catch (error) {
    if (!["EPIPE", "EAGAIN"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
};
