import { tellParent } from "../runtime/tell-parent.ts";
import { runCommandLine } from "./command-line.ts";
import { listenForStops } from "./interrupt.ts";
import { descriptors } from "./watcher-protocol.ts";

/** The command line itself, as the process that cli/main.ts starts and watches. */
tellParent(descriptors.work, descriptors.life);
listenForStops(descriptors.stop);
await runCommandLine();
