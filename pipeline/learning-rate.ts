/** Where the weights that training starts from come from. */
export type WeightOrigin = "fresh" | "given" | "sliced";

/**
 * Peak learning rate of AdamW by the origin of the weights, where the config names none. Fresh weights need large steps. Weights that were trained
 * already lose what they know to them: their batch normalization is folded, so nothing keeps the scale of the layers in place.
 * Measured by benchmarks/learning-rate (figures in its README.md).
 */
export const defaultLearningRate: Readonly<Record<WeightOrigin, number>> = { fresh: 0.002, sliced: 0.001, given: 0.0002 };

/** The same for the recovery after pruning: what is left of the weights is half trained at least. */
export const defaultRecoveryRate: Readonly<Record<WeightOrigin, number>> = { fresh: 0.001, sliced: 0.0005, given: 0.0002 };
