import { denseLayouts } from "./dense.ts";
import { extraLayouts } from "./extra.ts";
import { labelledLayouts } from "./labelled.ts";
import type { Layout } from "./layout.ts";
import { nanodetLayouts } from "./nanodet.ts";
import { pairLayouts } from "./pairs.ts";
import { rowLayouts } from "./rows.ts";
import { rtdetrLayouts } from "./rtdetr.ts";

/** Every layout that is read, one row each. */
export const layouts: readonly Layout[] = [
  ...denseLayouts,
  ...extraLayouts,
  ...nanodetLayouts,
  ...rowLayouts,
  ...rtdetrLayouts,
  ...pairLayouts,
  ...labelledLayouts,
];
