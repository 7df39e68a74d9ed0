import { leftUnread, tableOf, unread, type Facts } from "./facts.ts";
import { cellCount } from "./grid.ts";
import { candidate, type Layout } from "./layout.ts";
import type { Candidate, NearMiss } from "./types.ts";

const strides = [8, 16, 32, 64] as const;

/** NanoDet-Plus: [N, cells of strides 8 to 64, classes + 4 distributions]. */
const recognise = (facts: Facts): readonly (Candidate | NearMiss)[] =>
  facts.outputs.flatMap((output): readonly (Candidate | NearMiss)[] => {
    const table = tableOf(output);
    if (table?.rank !== 3 || table.a !== cellCount(facts.size, strides) || table.b === null) return [];
    const classCount = facts.classes ?? (table.b === 112 ? 80 : undefined);
    const bins = classCount === undefined ? 0 : (table.b - classCount) / 4;
    if (classCount === undefined || !Number.isInteger(bins) || bins < 4 || bins > 33) return [];
    const rest = unread(facts, [output.name]);
    if (rest.length > 0) return [{ layout: "nanodet", why: leftUnread(rest) }];
    return [
      candidate(
        "nanodet",
        {
          kind: "table",
          family: "nanodet",
          classCount,
          outputNames: [output.name],
          size: facts.size,
          needsNms: true,
          boxes: { output: 0, column: classCount },
          channelsFirst: false,
          form: "xyxy",
          coordinates: "pixels",
          scores: {
            by: "class",
            at: { output: 0, column: 0 },
            channelsFirst: false,
            activation: "none",
            background: null,
            objectness: null,
          },
          count: null,
          pictureColumn: null,
          strides,
          bins,
        },
        { doubt: 3 },
      ),
    ];
  });

export const nanodetLayouts: readonly Layout[] = [
  { name: "nanodet", family: "nanodet", preprocess: "nanodet", recognise },
];
