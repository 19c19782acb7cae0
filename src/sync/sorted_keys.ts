/**
 * Keys in order: a sorted list in chunks, so that one insertion among many moves a few hundred
 * neighbours and not all of them.
 *
 * @module
 */
import type { RecordKey } from "../wire/record_key.ts";

/** A chunk of this many keys is cut in two. */
const chunkMax = 512;

/** A set of keys, walked in the order of their bytes. */
export class SortedKeys {
  /** Never empty chunks, each sorted, in order. */
  readonly #chunks: RecordKey[][] = [];
  #size = 0;

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** Puts the key in; `false` if it was there. */
  add(key: RecordKey): boolean {
    const at = Math.min(this.#chunkOf(key), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([key]);
    } else {
      const place = lowerBound(chunk, key);
      if (chunk[place] === key) return false;
      chunk.splice(place, 0, key);
      if (chunk.length > chunkMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2));
    }
    this.#size++;
    return true;
  }

  /** Takes the key out; `false` if it was not there. */
  delete(key: RecordKey): boolean {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const place = lowerBound(chunk, key);
    if (chunk[place] !== key) return false;
    chunk.splice(place, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return true;
  }

  /**
   * Keys from `low` on, before `high` (to the end if that is left out), in order. Bounds are
   * hexadecimal and need not be keys. Must not be walked across a change.
   */
  *range(low: string, high?: string): IterableIterator<RecordKey> {
    for (let at = this.#chunkOf(low); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      const first = chunk[0] ?? "";
      for (let i = first >= low ? 0 : lowerBound(chunk, low); i < chunk.length; i++) {
        const key = chunk[i];
        if (key === undefined || (high !== undefined && key >= high)) return;
        yield key;
      }
    }
  }

  /** The first chunk whose last key is not below `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.at(-1) ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
