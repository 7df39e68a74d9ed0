import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { Tensor, elementCount } from "../graph/tensor.ts";

/** Seeded initial weights; every tensor drawn advances the stream, so one seed gives one model. */
export class Initializer {
  readonly #random: () => number;

  constructor(seed: number) {
    const generator = xoroshiro128plus(seed);
    this.#random = () => uniformFloat64(generator);
  }

  /** Uniform in ±1/sqrt(fan-in), PyTorch's default for Conv2d and Linear (kaiming_uniform with a = sqrt(5)). */
  kaimingUniform(shape: readonly number[]): Tensor {
    const bound = 1 / Math.sqrt(elementCount(shape.slice(1)));
    return Tensor.float32(shape, Float32Array.from({ length: elementCount(shape) }, () => (2 * this.#random() - 1) * bound));
  }

  /** Normal with standard deviation sqrt(2/fan-in) (He 2015). */
  heNormal(shape: readonly number[]): Tensor {
    const deviation = Math.sqrt(2 / elementCount(shape.slice(1)));
    return Tensor.float32(shape, Float32Array.from({ length: elementCount(shape) }, () => this.#normal() * deviation));
  }

  fill(shape: readonly number[], value: number): Tensor {
    return Tensor.float32(shape, new Float32Array(elementCount(shape)).fill(value));
  }

  /** Box-Muller. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}
