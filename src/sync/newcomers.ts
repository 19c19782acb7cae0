/**
 * Who was heard of last. While a store has room nobody is remembered; from half its room on those
 * who come are, in the order in which they were heard of, so that they are the ones to go when it is
 * full. Whoever was there before never goes to make room.
 *
 * @module
 */
import type { NodeId } from "../wire/node_id.ts";
import { evictionSearchMax } from "./limits.ts";

/** Authors in the order in which they were heard of. */
export class Newcomers {
  readonly #isHeld: (id: NodeId) => boolean;
  readonly #max: number;
  /** May name some that are gone, and one twice that came again. */
  #order: NodeId[] = [];

  /** @param max How many at most: as many as find room. @param isHeld Whether the author still has a record here. */
  constructor(max: number, isHeld: (id: NodeId) => boolean) {
    this.#max = max;
    this.#isHeld = isHeld;
  }

  /** Those still there, heard of first in front. */
  ids(): NodeId[] {
    // Who went and came again was heard of when he came again.
    return [...new Set(this.#order.toReversed())].reverse().filter(this.#isHeld);
  }

  /** One more. */
  add(id: NodeId): void {
    this.#order.push(id);
    // Names of those who are gone are swept out when they are as many as those who may be there.
    if (this.#order.length > 2 * this.#max + evictionSearchMax) this.#order = this.ids();
  }

  /** The one heard of last of those who may go, looked for among the last few hundred; he goes. */
  takeLastThat(mayGo: (id: NodeId) => boolean): NodeId | undefined {
    const end = Math.max(0, this.#order.length - evictionSearchMax);
    for (let at = this.#order.length - 1; at >= end; at--) {
      const id = this.#order[at];
      if (id === undefined) continue;
      const isHeld = this.#isHeld(id);
      if (isHeld && !mayGo(id)) continue;
      this.#order.splice(at, 1);
      if (isHeld) return id;
    }
    return undefined;
  }
}
