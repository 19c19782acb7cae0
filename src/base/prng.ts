/**
 * Repeatable pseudo-random numbers for jitter and for choices, never for secrets (those come from
 * `Entropy`). The generator is sfc32 (Chris Doty-Humphrey, PractRand), seeded by four words.
 *
 * @module
 */

/** A seeded generator of choices. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** @param seed Up to four 32-bit words; the same ones give the same sequence, others another. */
  constructor(seed: readonly number[]) {
    this.#a = seed[0] ?? 0;
    this.#b = seed[1] ?? 0;
    this.#c = seed[2] ?? 0;
    this.#counter = seed[3] ?? 1;
    // The first outputs show the seed; sfc32 asks for a dozen to be thrown away.
    for (let i = 0; i < 12; i++) this.#next();
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  /** One of the items, or `undefined` of none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  /** The items in random order (Fisher–Yates), the given list untouched. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swap = order[i];
      const other = order[j];
      if (swap !== undefined && other !== undefined) {
        order[i] = other;
        order[j] = swap;
      }
    }
    return order;
  }
}
