import type { Head, TableHead } from "./types.ts";

const forms = {
  xyxy: "corners",
  yxyx: "corners (y first)",
  cxcywh: "centres and sizes",
  xywh: "top-left corners and sizes",
} as const;

/** How a head is read, in one line: "yolov8: 80 classes, centres and sizes in pixels, from output0". */
export const describeHead = (head: Head): string =>
  [
    `${head.family}: ${head.classCount} class${head.classCount === 1 ? "" : "es"}`,
    boxText(head),
    ...scoreText(head),
    `from ${head.outputNames.join(", ")}`,
  ].join(", ");

const boxText = (head: Head): string => {
  if (head.kind === "rows") return "corners in pixels";
  if (head.kind === "dense") return head.raw ? "offsets on the grid" : "centres and sizes in pixels";
  if (head.bins !== null) return `distances of ${head.bins} bins from the grid`;
  return `${forms[head.form]} in ${head.coordinates === "unit" ? "0..1" : "pixels"}`;
};

const scoreText = (head: Head): readonly string[] => {
  if (head.kind === "dense") return head.objectness ? ["with objectness"] : [];
  return head.kind === "rows" ? ["labels from 0"] : tableScores(head);
};

const tableScores = ({ scores, family }: TableHead): readonly string[] => {
  const rest = family === "segment" ? ["masks left unread"] : family === "pose" ? ["keypoints left unread"] : [];
  if (scores.by === "label") return [`labels from ${scores.labelOffset}`, ...rest];
  const { activation, background, objectness } = scores;
  return [
    ...(activation === "none" ? [] : [activation]),
    ...(background === null ? [] : [`column ${background} is the background`]),
    ...(objectness ? ["with objectness"] : []),
    ...rest,
  ];
};
