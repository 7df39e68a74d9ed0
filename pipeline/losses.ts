import type { Config } from "./config-schema.ts";
import type { Loss, Variant, VariantStage } from "./result.ts";

type Allowed = Readonly<Record<keyof Config["allowedDrop"], number>>;

/** The limits of a config: int8 may lose what its search for float layers accepts. */
export const allowedDropOf = ({ allowedDrop, quantize }: Pick<Config, "allowedDrop" | "quantize">): Allowed =>
  ({ ...allowedDrop, quantize: allowedDrop.quantize ?? Math.max(0.01, quantize?.maxDrop ?? 0) });

/** Which limit a variant is held to. What is sliced off a teacher has not been trained yet: it is judged when it has. */
const limitOf: Readonly<Record<VariantStage, keyof Allowed | undefined>> =
  { teacher: undefined, student: undefined, baseline: "distill", distilled: "distill", pruned: "prune", int8: "quantize" };

/**
 * Variants whose mAP is below that of the variant they were made from by more than the config allows. A student with fresh weights is not made from its
 * teacher. Variants without accuracy are not judged.
 */
export const lossesOf = (variants: readonly Variant[], allowed: Allowed): Loss[] =>
  variants.flatMap((variant) => {
    const parent = variants.find(({ name }) => name === variant.parent);
    const limit = limitOf[variant.stage];
    if (!variant.accuracy || !parent?.accuracy || limit === undefined || (limit === "distill" && parent.stage === "teacher")) return [];
    const drop = parent.accuracy.map - variant.accuracy.map;
    return drop > allowed[limit] ? [{ variant: variant.name, parent: parent.name, drop, allowed: allowed[limit] }] : [];
  });
