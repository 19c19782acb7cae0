/**
 * A map with a limit: the entry written longest ago makes room for a new one.
 *
 * @module
 */

/** A `Map` that holds at most `limit` entries; insertion evicts the entry written longest ago. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #limit: number;

  /** @param limit The most entries kept, at least 1. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value under the key; reading does not make the entry younger. */
  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  /** Whether there is an entry under the key. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Writes the entry, now the youngest; returns the entry that had to make room, if one had to. */
  set(key: K, value: V): readonly [K, V] | undefined {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return undefined;
    const oldest = this.#entries.entries().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest[0]);
    return oldest;
  }

  /** Removes the entry; `false` if there was none. */
  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  /** Removes everything. */
  clear(): void {
    this.#entries.clear();
  }

  /** Entries, the one written longest ago first. */
  entries(): IterableIterator<[K, V]> {
    return this.#entries.entries();
  }

  /** Values, the one written longest ago first. */
  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  /** Keys, the one written longest ago first. */
  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }
}
