import { setTimeout as wait } from "node:timers/promises";
import { withLockedClocks } from "../../../targets/jetson/clocks.ts";
import { localTransport } from "../../../targets/local-transport.ts";

/** Locks the clocks and waits to be killed; its environment is a stand-in's. */
await withLockedClocks(localTransport(), async () => {
  process.stdout.write("locked\n");
  await wait(120_000);
});
