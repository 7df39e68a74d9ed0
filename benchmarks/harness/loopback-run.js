// One benchmark of a device from the built package, in a process of its own as `edgestill bench` is: argv is the folder of the package, the model and the inventory.
// Prints a JSON line per moment, with the milliseconds since the process started.
import { join } from "node:path";
import process from "node:process";

const [root, model, inventory] = process.argv.slice(2);
const say = (moment) => process.stdout.write(`${JSON.stringify({ moment, ms: performance.now() })}\n`);
await import(join(root, "cli", "commands", "bench.js"));
const { benchModels } = await import(join(root, "pipeline", "models", "bench.js"));
const { readInventory } = await import(join(root, "targets", "inventory.js"));
say("modules loaded");
await benchModels([model], { targets: ["loopback"], inventory: await readInventory(inventory), runs: 20, seconds: 0.1, hooks: { onMoment: say } });
