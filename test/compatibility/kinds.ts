import type { Kind } from "./case.ts";
import { data } from "./data.ts";
import { defaults, terminal } from "./defaults.ts";
import { files } from "./files.ts";
import { heads } from "./heads.ts";
import { int8 } from "./int8.ts";
import { rewrites } from "./rewrites.ts";

/** The sections of docs/compatibility.md, in order. */
export const kinds: readonly Kind[] = [rewrites, int8, files, heads, data, defaults, terminal];
