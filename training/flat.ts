import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { elementCount, Tensor } from "../graph/tensor.ts";

/** A tensor's place in a flat vector. */
export interface Slot {
  /** The initializer in the problem's graph. */
  readonly value: Value;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

export interface Layout {
  readonly slots: readonly Slot[];
  readonly size: number;
}

/** Places initializers one after the other. */
export const layoutOf = (values: readonly Value[]): Layout => {
  let offset = 0;
  const slots = values.map((value) => {
    if (value.tensor?.dtype !== "float32") throw new Error(`bug: "${value.name}" is not a float32 initializer, so it cannot be trained`);
    const slot: Slot = { value, shape: value.tensor.shape, offset, size: elementCount(value.tensor.shape) };
    offset += slot.size;
    return slot;
  });
  return { slots, size: offset };
};

/** The initial contents of the vector. */
export const pack = (layout: Layout): Tensor => {
  const flat = new Float32Array(layout.size);
  for (const { value, offset } of layout.slots) flat.set(value.tensor!.floats, offset);
  return Tensor.float32([layout.size], flat);
};

/** The tensors in `flat`, as copies, by the value they belong to. */
export const unpack = (layout: Layout, flat: Tensor): Map<Value, Tensor> => {
  const floats = flat.floats;
  return new Map(layout.slots.map(({ value, shape, offset, size }) => [value, Tensor.float32(shape, floats.slice(offset, offset + size))]));
};

/** A vector with `fill(slot)` at every element of the slot. */
export const fillSlots = (layout: Layout, fill: (slot: Slot) => number): Tensor => {
  const flat = new Float32Array(layout.size);
  for (const slot of layout.slots) flat.fill(fill(slot), slot.offset, slot.offset + slot.size);
  return Tensor.float32([layout.size], flat);
};

/** Graph input `flat` [P] becomes the tensors of the layout: every reader of `twin(slot)` reads its part of `flat`. */
export const splitInto = (b: Builder, layout: Layout, flat: Value, twin: (slot: Slot) => Value): readonly Value[] => {
  const parts = b.split(flat, layout.slots.map((slot) => slot.size), 0);
  return layout.slots.map((slot, index) => {
    const part = slot.shape.length === 1 ? parts[index]! : b.reshape(parts[index]!, slot.shape);
    part.dtype = "float32";
    part.shape = slot.shape;
    b.graph.replaceAllUses(twin(slot), part);
    return part;
  });
};

/** [P] from one value per slot; a slot without a value is zero. */
export const concatFrom = (b: Builder, layout: Layout, values: readonly (Value | undefined)[]): Value => {
  const flat = b.concat(layout.slots.map((slot, index) => {
    const value = values[index];
    return value ? flattened(b, value, slot.size) : b.constant(Tensor.float32([slot.size], new Float32Array(slot.size)));
  }), 0);
  return typed(flat, [layout.size]);
};

/** Skips the reshape that made `value`, if that is one. */
const flattened = (b: Builder, value: Value, size: number): Value => {
  const source = value.producer?.opType === "Reshape" ? value.producer.in(0) : value;
  return source.shape?.length === 1 ? source : b.reshape(source, [size]);
};

/** States what the shape rules may not know. */
export const typed = (value: Value, shape: readonly number[]): Value => {
  value.dtype = "float32";
  value.shape = shape;
  return value;
};
