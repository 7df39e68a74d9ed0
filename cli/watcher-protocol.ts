/** Pipes between the watcher and the command line, by file descriptor of the latter. */
export const descriptors = {
  /** To the watcher: what native code is doing, a line each. */
  work: 3,
  /** From the watcher: how often it was asked to stop, a line each. */
  stop: 4,
  /** Nothing is sent: it closes when the watcher is gone. */
  life: 5,
} as const;
