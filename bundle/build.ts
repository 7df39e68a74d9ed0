import { cp } from "node:fs/promises";
import { join } from "node:path";

/** Part of `npm run build`: the C++ sources travel beside the compiled code that puts them into bundles. */
await cp(join(import.meta.dirname, "cpp"), join(import.meta.dirname, "..", "dist", "bundle", "cpp"), { recursive: true, filter: (path) => !path.endsWith(".example") && !path.includes("/build") });
