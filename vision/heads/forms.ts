import type { Facts } from "./facts.ts";
import type { BoxForm, Coordinates } from "./types.ts";

/** What a box's numbers mean. */
export interface BoxReading {
  readonly form: BoxForm;
  readonly coordinates: Coordinates;
}

export interface DoubtfulReading extends BoxReading {
  readonly labelOffset: number;
  readonly doubt: number;
}

const guesses = (forms: readonly BoxForm[]): readonly BoxReading[] =>
  forms.flatMap((form) => (["pixels", "unit"] as const).map((coordinates) => ({ form, coordinates })));

/**
 * TensorFlow writes y first, which no run on a square picture shows; its exporter signs the file, and its unnamed
 * outputs are called like this.
 */
const isTensorflow = ({ outputs, producer = "" }: Pick<Facts, "outputs" | "producer">): boolean =>
  /tf2onnx|keras|tensorflow|tflite/i.test(producer) ||
  outputs.some(({ name }) => /^(Identity|StatefulPartitionedCall|PartitionedCall|TFLite|tf\.)/.test(name));

/**
 * The usual reading of a layout; with `open` also everything else that files in the same shape hold, for the run
 * to choose from.
 * What the user says is not doubted. `labelOffset` null: the head has no labels of its own.
 */
export const boxReadings = (
  facts: Pick<Facts, "boxes" | "coordinates" | "labelOffset" | "outputs" | "producer">,
  usual: BoxReading,
  open: boolean,
  labelOffset: number | null,
): readonly DoubtfulReading[] => {
  const forms = open
    ? [
        usual,
        ...guesses(isTensorflow(facts) ? ["xyxy", "cxcywh", "xywh", "yxyx"] : ["xyxy", "cxcywh", "xywh"]).filter(
          ({ form, coordinates }) => form !== usual.form || coordinates !== usual.coordinates,
        ),
      ]
    : [usual];
  const said = unique(
    forms.map(({ form, coordinates }) => ({
      form: facts.boxes ?? form,
      coordinates: facts.coordinates ?? coordinates,
    })),
  );
  const offsets =
    facts.labelOffset !== undefined
      ? [facts.labelOffset]
      : labelOffset === null
        ? [0]
        : open
          ? [labelOffset, 1 - labelOffset]
          : [labelOffset];
  return said.flatMap((reading, i) =>
    offsets.map((offset, j) => ({ ...reading, labelOffset: offset, doubt: i + j === 0 ? 0 : 1 + i + j })),
  );
};

const unique = (readings: readonly BoxReading[]): BoxReading[] =>
  readings.filter(
    ({ form, coordinates }, index) =>
      readings.findIndex((other) => other.form === form && other.coordinates === coordinates) === index,
  );
