/**
 * Which augmented variant of its pictures an epoch sees. With a teacher there are finitely many, so that its outputs are computed once;
 * without (`count` 0) every epoch has its own. "Calm" variants have no mosaic: the last quarter of the epochs sees only those.
 */
export interface VariantPlan {
  readonly epochs: number;
  readonly count: number;
}

const calmShare = 1 / 4;

/** Of `count` variants the last third (at least one) are calm. */
export const isCalm = ({ count, epochs }: VariantPlan, variant: number): boolean =>
  count === 0 ? variant >= epochs - Math.floor(epochs * calmShare) : variant >= count - Math.max(1, Math.floor(count / 3));

export const variantOf = (plan: VariantPlan, epoch: number): number => {
  const { count, epochs } = plan;
  if (count === 0) return epoch;
  const calmFrom = count - Math.max(1, Math.floor(count / 3));
  const isLate = epoch >= epochs - Math.floor(epochs * calmShare);
  return isLate ? calmFrom + (epoch % (count - calmFrom)) : epoch % count;
};
