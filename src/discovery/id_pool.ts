/**
 * A set of ids that gives a random one in constant time, however large it is.
 *
 * @module
 */
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";

/** Ids to pick from. */
export class IdPool {
  readonly #ids: NodeId[] = [];
  readonly #places = new Map<NodeId, number>();

  /** How many. */
  get size(): number {
    return this.#ids.length;
  }

  /** Adds the id, once. */
  add(id: NodeId): void {
    if (this.#places.has(id)) return;
    this.#places.set(id, this.#ids.length);
    this.#ids.push(id);
  }

  /** Removes the id if it is there. */
  delete(id: NodeId): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    const last = this.#ids.pop();
    if (last === undefined || last === id) return;
    this.#ids[place] = last;
    this.#places.set(last, place);
  }

  /** A random id that passes, looked for among `tries` draws; `undefined` if none was drawn. */
  pick(prng: Prng, tries: number, passes: (id: NodeId) => boolean): NodeId | undefined {
    for (let i = 0; i < tries && this.#ids.length > 0; i++) {
      const id = prng.pick(this.#ids);
      if (id !== undefined && passes(id)) return id;
    }
    return undefined;
  }
}
