import type { TargetKind } from "./kind.ts";

/** Every kind of target but this machine itself. Adding one is adding a folder with a file that exports a row, and the row here. */
export const targetKinds = {
} as const satisfies Readonly<Record<string, TargetKind<never>>>;
