import { UserError } from "../../graph/error.ts";
import { canonicalClass } from "../../vision/index.ts";

/** autoware_perception_msgs/ObjectClassification. */
export const autowareLabels = { UNKNOWN: 0, CAR: 1, TRUCK: 2, BUS: 3, TRAILER: 4, MOTORCYCLE: 5, BICYCLE: 6, PEDESTRIAN: 7 } as const;
export type AutowareLabel = keyof typeof autowareLabels;

/** What a driving stack calls the usual classes; everything else is UNKNOWN. */
const usual: readonly (readonly [AutowareLabel, readonly string[]])[] = [
  ["CAR", ["car", "van", "vehicle", "suv", "taxi"]], ["TRUCK", ["truck", "lorry"]], ["BUS", ["bus"]], ["TRAILER", ["trailer"]],
  ["MOTORCYCLE", ["motorcycle", "motorbike", "motorcyclist"]], ["BICYCLE", ["bicycle", "bike", "cyclist", "rider"]], ["PEDESTRIAN", ["pedestrian", "person", "people"]],
];

/** Autoware's label of each class; `given` (by class name) goes first. Throws UserError AUTOWARE_LABEL. */
export const labelsOf = (classes: readonly string[], given: Readonly<Record<string, string>>): AutowareLabel[] => {
  const wanted = new Map(Object.entries(given).map(([name, label]) => [canonicalClass(name), checkedLabel(name, label)]));
  for (const name of Object.keys(given)) if (!classes.some((own) => canonicalClass(own) === canonicalClass(name))) throw unknownClass(name, classes);
  return classes.map((name) => wanted.get(canonicalClass(name)) ?? usual.find(([, names]) => names.some((one) => canonicalClass(one) === canonicalClass(name)))?.[0] ?? "UNKNOWN");
};

const checkedLabel = (name: string, label: string): AutowareLabel => {
  if (!Object.hasOwn(autowareLabels, label)) throw new UserError("AUTOWARE_LABEL", `bundle.autowareLabels.${name}: Autoware has no label "${label}".`, `use one of ${Object.keys(autowareLabels).join(", ")}.`);
  return label as AutowareLabel;
};

const unknownClass = (name: string, classes: readonly string[]): UserError =>
  new UserError("AUTOWARE_LABEL", `bundle.autowareLabels names "${name}", which is no class of the model.`, `its classes are ${classes.join(", ")}.`);
