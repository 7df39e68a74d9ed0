import { has, isGrid, tableOf, type Facts } from "./facts.ts";
import { boxReadings } from "./forms.ts";
import { candidate, type Layout } from "./layout.ts";
import { column, rows } from "./matrix.ts";
import type { Readings } from "./readings.ts";
import type { Candidate, NearMiss } from "./types.ts";

/** RT-DETR as Ultralytics exported it until 2025: [N, queries, 4 + classes], centres in 0..1, probabilities. */
const joinedQueries = (facts: Facts): readonly (Candidate | NearMiss)[] =>
  facts.outputs.flatMap((output): readonly (Candidate | NearMiss)[] => {
    const table = tableOf(output);
    const columns = table?.b;
    if (
      output.shape.length !== 3 ||
      table === null ||
      typeof columns !== "number" ||
      columns < 5 ||
      isGrid(facts, table.a) ||
      (table.a !== null && columns >= table.a) ||
      facts.outputs.length > 1
    )
      return [];
    if (facts.task !== undefined && facts.task !== "detect") return [];
    const classCount = columns - 4;
    if (facts.classes !== undefined && facts.classes !== classCount)
      return [
        {
          layout: "rtdetr",
          why: `${classCount} class columns, but ${facts.classes} class names`,
          classes: columns !== 6,
        },
      ];
    if (facts.classes === undefined && (columns === 6 || columns === 7)) return [];
    // Six columns are also what an end-to-end YOLO gives; the deformable attention of a DETR speaks for two classes.
    const doubt = columns === 6 && facts.ops !== undefined && !has(facts, "GridSample") ? 1 : 0;
    return boxReadings(facts, { form: "cxcywh", coordinates: "unit" }, false, 0).map(({ form, coordinates }) =>
      candidate(
        "rtdetr",
        {
          kind: "table",
          family: "detr",
          classCount,
          outputNames: [output.name],
          size: facts.size,
          needsNms: false,
          boxes: { output: 0, column: 0 },
          channelsFirst: false,
          form,
          coordinates,
          scores: {
            by: "class",
            at: { output: 0, column: 4 },
            channelsFirst: false,
            activation: "none",
            background: null,
            objectness: null,
          },
          count: null,
          pictureColumn: null,
          strides: null,
          bins: null,
        },
        { doubt },
      ),
    );
  });

/** Two class columns are a score and a class number where the second is whole in every row and the first is not. */
const lastIsClassNumber = ({ scores, classCount, rows: count }: Readings): boolean => {
  if (scores.by !== "class" || classCount !== 2) return false;
  const isWhole = (c: number): boolean =>
    rows({ rows: count }).every((row) => Number.isInteger(column(scores.classes, row, c)));
  return isWhole(1) && !isWhole(0);
};

export const rtdetrLayouts: readonly Layout[] = [
  {
    name: "rtdetr",
    family: "detr",
    preprocess: "stretch",
    recognise: joinedQueries,
    check: (readings) =>
      lastIsClassNumber(readings)
        ? ["the last column holds whole numbers alone: the number of a class, not its score"]
        : [],
  },
];
