/**
 * Who has a record here, and in which order they were heard of.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { evictionSearchMax } from "./limits.ts";

/** The authors of the records held, each with the keys of his. */
export class KnownAuthors {
  readonly #keys = new Map<NodeId, Set<RecordKey>>();
  /** In the order they were heard of; may name some that are gone. */
  #heardOrder: NodeId[] = [];

  /** How many there are. */
  get size(): number {
    return this.#keys.size;
  }

  /** Whether he has a record here. */
  has(id: NodeId): boolean {
    return this.#keys.has(id);
  }

  /** Those with a record here, heard of first in front. */
  ids(): IterableIterator<NodeId> {
    return this.#keys.keys();
  }

  /** The keys of his records, in order. */
  keysOf(id: NodeId): readonly RecordKey[] {
    return [...this.#keys.get(id) ?? []].sort();
  }

  /** A record of his is held now. */
  add(id: NodeId, key: RecordKey): void {
    const keys = this.#keys.get(id);
    if (keys !== undefined) {
      keys.add(key);
      return;
    }
    this.#keys.set(id, new Set([key]));
    this.#heardOrder.push(id);
    // Names of those who are gone are swept out when they are as many as those who are there.
    if (this.#heardOrder.length > 2 * this.#keys.size + evictionSearchMax) {
      this.#heardOrder = [...this.#keys.keys()];
    }
  }

  /** A record of his is held no longer; without any he is not known. */
  delete(id: NodeId, key: RecordKey): void {
    const keys = this.#keys.get(id);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(id);
  }

  /** The one heard of last of those who may go, looked for among the last few hundred. */
  lastThat(mayGo: (id: NodeId) => boolean): NodeId | undefined {
    let looked = 0;
    for (let at = this.#heardOrder.length - 1; at >= 0 && looked < evictionSearchMax; at--) {
      const id = this.#heardOrder[at];
      if (id === undefined || !this.#keys.has(id)) continue;
      looked++;
      if (mayGo(id)) return id;
    }
    return undefined;
  }
}
