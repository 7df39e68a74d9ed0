import { join } from "node:path";
import { bundleRunner } from "./bundle.ts";

/** Part of `npm run build`: the runner for devices, beside the built bundle.js. */
await bundleRunner(join(import.meta.dirname, "..", "..", "dist", "targets", "device", "runner.mjs"));
