import type { Halo, Part } from "./paint.ts";

export const classes = ["car", "truck", "pedestrian", "cyclist", "traffic_light"] as const;
export type ClassName = (typeof classes)[number];

/** One thing in the scene. Sprites are painted from far to near; those with a class are labelled. */
export interface Sprite {
  readonly className: ClassName | null;
  readonly depth: number;
  readonly parts: readonly Part[];
  readonly halos: readonly Halo[];
}
