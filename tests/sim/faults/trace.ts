/**
 * The history of a world in one number: two runs with the same trace sent the same datagrams between
 * the same machines at the same times, and saw the same changes of stores.
 *
 * @module
 */

/** A running 64-bit sum over all that is noted (two FNV-1a halves of different seeds). */
export class Trace {
  #high = 0x811c9dc5;
  #low = 0x01000193;
  #notes = 0;

  /** How much was noted. */
  get notes(): number {
    return this.#notes;
  }

  /** Notes numbers, in order. */
  note(...numbers: readonly number[]): void {
    this.#notes++;
    for (const number of numbers) {
      // Times are fractions: both halves of the double count.
      view.setFloat64(0, number);
      for (const word of [view.getUint32(0), view.getUint32(4)]) {
        this.#high = Math.imul(this.#high ^ word, 0x01000193);
        this.#low = Math.imul(this.#low + word | 0, 0x85ebca6b) ^ this.#high >>> 13;
      }
    }
  }

  toString(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0"))
      .join("");
  }
}

const view = new DataView(new ArrayBuffer(8));
