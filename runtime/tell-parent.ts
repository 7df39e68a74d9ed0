import { fstatSync, writeSync } from "node:fs";
import { endWithParent } from "./lifeline.ts";
import { onNativeWork } from "./native-work.ts";
import { workLine } from "./work-watch.ts";

/**
 * From now on this process writes what native code does to `workDescriptor` (a WorkWatch reads it there), and ends when the process at the other end of
 * `lifeDescriptor` is gone. `everyMs`: no more than one line in so long, for work that is being timed.
 */
export const tellParent = (workDescriptor: number, lifeDescriptor: number, everyMs = 0): void => {
  let [isTied, writtenAt, last] = [false, -Infinity, ""];
  const pipe = identityOf(workDescriptor);
  onNativeWork((work) => {
    if (!isTied) { // before the first native call: until then the main thread sees the end itself
      isTied = true;
      endWithParent(lifeDescriptor);
    }
    if (everyMs > 0) {
      if (!work || (work.doing === last && performance.now() - writtenAt < everyMs)) return;
      [writtenAt, last] = [performance.now(), work.doing];
    }
    write(workDescriptor, pipe, workLine(work));
  });
};

/**
 * What is told is for messages only: it never stops the work. A watcher that is gone is the lifeline's business, and a line that does not fit now is followed by
 * others. `pipe` is what the descriptor was at the start: were it closed, another file may have its number, and nothing must be written there.
 */
const write = (descriptor: number, pipe: string | undefined, line: string): void => {
  try {
    if (pipe !== undefined && identityOf(descriptor) === pipe) writeSync(descriptor, line);
  } catch {
    // told by the next line, or by nobody
  }
};

/** Which pipe or socket it is; undefined for anything else. */
const identityOf = (descriptor: number): string | undefined => {
  try {
    const found = fstatSync(descriptor);
    return found.isFIFO() || found.isSocket() ? `${found.dev} ${found.ino}` : undefined;
  } catch {
    return undefined;
  }
};
