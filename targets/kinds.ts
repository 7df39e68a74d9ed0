import type { TargetKind, TargetSettings } from "./kind.ts";
import { jetsonKind } from "./jetson/kind.ts";
import { linuxKind } from "./linux/kind.ts";
import { rpiKind } from "./rpi/kind.ts";

/** Every kind of target but this machine itself. Adding one is adding a folder with a file that exports a row, and the row here. */
export const targetKinds = {
  linux: linuxKind,
  rpi: rpiKind,
  jetson: jetsonKind,
} as const satisfies { readonly [Name in string]: { readonly name: Name } };

/** The row of an entry: its schema has checked that the settings are of this kind. */
export const kindOf = ({ kind }: TargetSettings): TargetKind => {
  const row = Object.entries(targetKinds).find(([name]) => name === kind)?.[1];
  if (!row) throw new Error(`bug: no kind "${kind}"`);
  return row;
};
