/**
 * Bytes of a seeded generator, a word at a time: what large worlds draw from. `SeededEntropy` draws
 * every byte by itself, and its sequences are fixed by vectors.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { Prng } from "../../src/base/prng.ts";
import type { Entropy } from "../../src/platform/entropy.ts";

/** Words drawn at once: most draws are of a nonce or a key. */
const poolWords = 256;

/** Seeded entropy, quickly. */
export class QuickEntropy implements Entropy {
  readonly #prng: Prng;
  readonly #words = new Uint32Array(poolWords);
  readonly #pool = new Uint8Array(this.#words.buffer);
  #used = poolWords * 4;

  constructor(seed: readonly number[]) {
    this.#prng = new Prng(seed);
  }

  bytes(length: number): Bytes {
    const drawn = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      if (this.#used === this.#pool.length) this.#fill();
      const part = this.#pool.subarray(this.#used, this.#used + length - at);
      drawn.set(part, at);
      this.#used += part.length;
      at += part.length;
    }
    return drawn;
  }

  #fill(): void {
    for (let i = 0; i < poolWords; i++) this.#words[i] = this.#prng.below(0x1_0000_0000);
    this.#used = 0;
  }
}
