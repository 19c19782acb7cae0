/**
 * The parts of a graph of links: two nodes are in one part exactly if a path leads from one to the
 * other. Made from the parts of an older graph and the nodes that list others since:
 *
 * - Where a link is gone, its ends look for one another from all sides at once, breadth first. They
 *   meet after some dozens of nodes nearly always; what does not meet is a part of its own.
 * - Where a link came, two parts become one (union-find, Tarjan 1975).
 *
 * @module
 */
import { noNeighbours } from "./node_numbers.ts";

/** By a node's number: whom it lists. */
export type Neighbours = readonly (readonly number[] | undefined)[];

/** Whether both list one another. */
export function areLinked(neighbours: Neighbours, one: number, other: number): boolean {
  return one !== other && neighbours[one]?.includes(other) === true &&
    neighbours[other]?.includes(one) === true;
}

/** Sets of small numbers that become one another's, with no ranks: they are few or asked for once. */
class Unions {
  readonly #above: Int32Array;

  constructor(size: number) {
    this.#above = new Int32Array(size);
    for (let number = 0; number < size; number++) this.#above[number] = number;
  }

  /** Numbers are below this. */
  get size(): number {
    return this.#above.length;
  }

  /** The number that stands for the set. */
  find(number: number): number {
    const above = this.#above;
    let at = number;
    for (;;) {
      const next = above[at] ?? at;
      if (next === at) return at;
      // Halves the way for the next who comes along.
      const further = above[next] ?? next;
      above[at] = further;
      at = further;
    }
  }

  /** Makes one of the sets of two that `find` gave. */
  join(one: number, other: number): void {
    this.#above[Math.max(one, other)] = Math.min(one, other);
  }
}

/** What a graph was before, and who lists others since. */
export interface GraphChange {
  /** The part of every number that there was, by its lowest number. */
  readonly partsBefore: Int32Array;
  readonly before: Neighbours;
  readonly after: Neighbours;
  /** Whose lists are others; nobody twice. */
  readonly relisted: readonly number[];
}

/** Finds the parts of a changed graph, some nodes at a time. */
export class PartsMaking {
  readonly #change: GraphChange;
  /** For each number what its part is called until all are known. */
  readonly #labels: Int32Array;
  readonly #unions: Unions;
  #at = 0;

  /** @param size Numbers in the changed graph are below this. */
  constructor(change: GraphChange, size: number) {
    this.#change = change;
    this.#labels = new Int32Array(size);
    this.#labels.set(change.partsBefore);
    for (let number = change.partsBefore.length; number < size; number++) {
      this.#labels[number] = number;
    }
    const apart = new Parting(change).find(this.#labels);
    // Names that no number has, so that none is taken.
    for (const [place, part] of apart.entries()) {
      for (const number of part) this.#labels[number] = size + place;
    }
    this.#unions = new Unions(size + apart.length);
  }

  /** Joins what the lists of so many more join; whether any are left. */
  join(count: number): boolean {
    const { relisted, after } = this.#change;
    const end = Math.min(relisted.length, this.#at + count);
    for (; this.#at < end; this.#at++) {
      const number = relisted[this.#at] ?? 0;
      for (const other of after[number] ?? noNeighbours) {
        const one = this.#unions.find(this.#labels[number] ?? 0);
        const two = this.#unions.find(this.#labels[other] ?? 0);
        // Nearly all are in one part soon: then nobody need look at what the other lists.
        if (one !== two && after[other]?.includes(number) === true) this.#unions.join(one, two);
      }
    }
    return end < relisted.length;
  }

  /** For each number the lowest of its part, once everything is joined. */
  finish(): Int32Array {
    const parts = new Int32Array(this.#labels.length);
    const lowest = new Int32Array(this.#unions.size).fill(parts.length);
    for (let number = 0; number < parts.length; number++) {
      const label = this.#unions.find(this.#labels[number] ?? 0);
      lowest[label] = Math.min(lowest[label] ?? 0, number);
      parts[number] = lowest[label] ?? 0;
    }
    return parts;
  }
}

/** Looks from the ends of links that are gone for what no longer hangs together. */
class Parting {
  readonly #change: GraphChange;
  /** By number, of those who were come across: whose search that was. */
  readonly #found = new Map<number, number>();
  readonly #searches: number[] = [];
  /** By search: its own name, or that of one which it met. */
  readonly #met: number[] = [];
  /** By the name of a search: nodes found whose links were not followed yet. */
  readonly #edge: number[] = [];
  /** By part as it was: searches that go on, of which one need not. */
  readonly #open = new Map<number, number>();

  constructor(change: GraphChange) {
    this.#change = change;
  }

  /** The nodes of each part that has come off. What remains of the part it was in is not listed. */
  find(partOf: Int32Array): readonly (readonly number[])[] {
    const { relisted, before, after } = this.#change;
    for (const number of relisted) {
      for (const other of before[number] ?? noNeighbours) {
        if (!areLinked(before, number, other) || areLinked(after, number, other)) continue;
        this.#begin(number, partOf);
        this.#begin(other, partOf);
      }
    }
    const queue = this.#searches;
    const closed = new Set<number>();
    for (let at = 0; at < queue.length; at++) {
      const number = queue[at] ?? 0;
      const part = partOf[number] ?? 0;
      // Who has met all that is left of his part, or alone is left, has nobody to look for.
      if ((this.#open.get(part) ?? 0) <= 1) continue;
      this.#follow(number, part);
      const search = this.#nameOf(this.#found.get(number) ?? 0);
      if (this.#edge[search] !== 0) continue;
      closed.add(search);
      this.#open.set(part, (this.#open.get(part) ?? 0) - 1);
    }
    const apart = new Map<number, number[]>();
    for (const [number, search] of this.#found) {
      const name = this.#nameOf(search);
      if (!closed.has(name)) continue;
      const nodes = apart.get(name);
      if (nodes === undefined) apart.set(name, [number]);
      else nodes.push(number);
    }
    return [...apart.values()];
  }

  #begin(number: number, partOf: Int32Array): void {
    if (this.#found.has(number)) return;
    const search = this.#met.push(this.#met.length) - 1;
    this.#found.set(number, search);
    this.#searches.push(number);
    this.#edge.push(1);
    const part = partOf[number] ?? 0;
    this.#open.set(part, (this.#open.get(part) ?? 0) + 1);
  }

  #nameOf(search: number): number {
    const met = this.#met[search] ?? search;
    if (met === search) return search;
    const name = this.#nameOf(met);
    this.#met[search] = name;
    return name;
  }

  /** Goes from a node along the links that there were and still are. */
  #follow(number: number, part: number): void {
    const { before, after } = this.#change;
    const own = this.#nameOf(this.#found.get(number) ?? 0);
    for (const other of after[number] ?? noNeighbours) {
      if (!areLinked(after, number, other)) continue;
      const isAsBefore = before[number] === after[number] && before[other] === after[other];
      if (!isAsBefore && !areLinked(before, number, other)) continue;
      const search = this.#found.get(other);
      if (search === undefined) {
        this.#found.set(other, own);
        this.#searches.push(other);
        this.#edge[own] = (this.#edge[own] ?? 0) + 1;
        continue;
      }
      const met = this.#nameOf(search);
      if (met === own) continue;
      this.#met[met] = own;
      this.#edge[own] = (this.#edge[own] ?? 0) + (this.#edge[met] ?? 0);
      this.#open.set(part, (this.#open.get(part) ?? 0) - 1);
    }
    this.#edge[own] = (this.#edge[own] ?? 0) - 1;
  }
}
