import { Worker } from "node:worker_threads";

/**
 * Ends this process when the one that holds the other end of `descriptor` is gone, even while native code keeps the main thread: a thread of its own waits.
 * Does not keep the process alive.
 */
export const endWithParent = (descriptor: number): void => {
  const source = `
    const { Socket } = require("node:net");
    const end = () => process.kill(process.pid, "SIGKILL");
    new Socket({ fd: ${descriptor}, readable: true, writable: false }).on("error", end).on("close", end).resume();`;
  new Worker(source, { eval: true, execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 } }).unref();
};
