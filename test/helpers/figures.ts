/** Figures of a text, each whole: "mAP 26.8, 1.68 M" -> ["26.8", "1.68"]; "mAP50" and "int8" are names. */
export const figuresIn = (text: string): string[] => text.match(/(?<![\p{L}\d.])\d[\d.,]*(?<![.,])/gu) ?? [];

/** Accuracies (0..1) that a text shows as fractions, where people read points of 100. Values with few digits are no evidence. */
export const shownAsFractions = (text: string, accuracies: readonly number[]): string[] => {
  const shown = new Set(figuresIn(text));
  return accuracies.flatMap((value) => [String(value), value.toFixed(3), value.toFixed(4)].filter((form) => value > 0.01 && value < 0.995 && form.length >= 5 && shown.has(form)));
};
