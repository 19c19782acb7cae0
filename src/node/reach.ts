/**
 * Who can be reached from here: the links held now, and from their other ends on the links that both
 * ends list. Routes come with their own room; this answers whether a path exists, and to whoever
 * asks how long the shortest is and where it begins.
 *
 * Nearly always this node's neighbours in the records are neighbours still. Then everybody in a part
 * of the graph where it has a link is reached, and nothing is walked. Only while its records name a
 * link that is gone are the paths walked that do not lead through itself.
 *
 * @module
 */
import { compareBytes } from "../base/bytes.ts";
import { type NodeId, nodeIdToBytes } from "../wire/node_id.ts";
import type { LinkGraph } from "./link_graph.ts";
import type { NamedNode } from "./node_numbers.ts";

/** How a node is reached. */
export interface Path {
  readonly hops: number;
  /** The neighbour through which the shortest path begins; the node itself when it is one. */
  readonly via: NodeId;
}

/** Breadth first from the links, never through this node; some nodes at a time. */
class Walk {
  /** By number: how many links away; 0: not come to. */
  readonly hops: Int32Array;
  /** By number: the place among the links of the one through which the way begins. */
  readonly via: Int32Array;
  readonly #graph: LinkGraph;
  readonly #order: number[] = [];
  #at = 0;

  constructor(graph: LinkGraph, self: number | undefined, links: readonly NodeId[]) {
    this.#graph = graph;
    this.hops = new Int32Array(graph.numbersEnd);
    this.via = new Int32Array(graph.numbersEnd).fill(-1);
    if (self !== undefined && self < this.hops.length) this.hops[self] = -1;
    for (const [place, id] of links.entries()) {
      const number = graph.numberOf(id);
      if (number !== undefined && number < this.hops.length) this.#reach(number, 1, place);
    }
  }

  #reach(number: number, hops: number, via: number): void {
    this.hops[number] = hops;
    this.via[number] = via;
    this.#order.push(number);
  }

  /** Goes on from so many more; whether any are left. */
  work(count: number): boolean {
    const { hops, via } = this;
    const end = Math.min(this.#order.length, this.#at + count);
    for (; this.#at < end; this.#at++) {
      const from = this.#order[this.#at] ?? 0;
      for (const to of this.#graph.listedBy(from)) {
        // Nearly all were come to before: then nobody need look at what the other lists.
        if (hops[to] !== 0 || !this.#graph.lists(to, from)) continue;
        this.#reach(to, (hops[from] ?? 0) + 1, via[from] ?? -1);
      }
    }
    return this.#at < this.#order.length;
  }
}

/** What is reached at one moment. */
export class Reach {
  readonly graph: LinkGraph;
  readonly #self: NodeId;
  readonly #links: readonly NodeId[];
  readonly #linked: ReadonlySet<NodeId>;
  /** Parts of the graph that are reached whole; `undefined` where paths had to be walked. */
  readonly #parts: ReadonlySet<number> | undefined;
  #walk: Walk | undefined;

  /** @param linked Links held now, proven here, whatever is published. */
  constructor(graph: LinkGraph, self: NodeId, linked: Iterable<NodeId>) {
    this.graph = graph;
    this.#self = self;
    this.#linked = new Set(linked);
    this.#links = [...this.#linked].filter((id) => id !== self);
    this.#parts = this.#wholeParts();
  }

  #wholeParts(): ReadonlySet<number> | undefined {
    const held = new Set<number>();
    const parts = new Set<number>();
    for (const id of this.#links) {
      const number = this.graph.numberOf(id);
      if (number === undefined) continue;
      held.add(number);
      parts.add(this.graph.partOf(number));
    }
    const self = this.graph.numberOf(this.#self);
    if (self === undefined) return parts;
    for (const neighbour of this.graph.neighboursOf(self)) {
      if (!held.has(neighbour)) return undefined;
    }
    return parts;
  }

  /** Whether the node is this one, or a path leads to it. */
  reaches(id: NodeId): boolean {
    if (id === this.#self || this.#linked.has(id)) return true;
    const number = this.graph.numberOf(id);
    return number !== undefined && this.#reachesNumber(number);
  }

  /** The same of a node of the graph. */
  reachesNode({ id, number }: NamedNode): boolean {
    return this.#reachesNumber(number) || id === this.#self || this.#linked.has(id);
  }

  #reachesNumber(number: number): boolean {
    return this.#parts === undefined
      ? (this.#walked().hops[number] ?? 0) > 0
      : this.#parts.has(this.graph.partOf(number));
  }

  /** How the node is reached; `undefined` if it is not, and of this node itself. */
  pathTo(id: NodeId): Path | undefined {
    if (id === this.#self) return undefined;
    if (this.#linked.has(id)) return { hops: 1, via: id };
    if (!this.reaches(id)) return undefined;
    const number = this.graph.numberOf(id);
    const { hops, via } = this.#walked();
    const first = number === undefined ? undefined : this.#links[via[number] ?? -1];
    return number === undefined || first === undefined
      ? undefined
      : { hops: hops[number] ?? 0, via: first };
  }

  /** How many with an `info` record are reached, this node included. */
  count(): number {
    if (this.#parts === undefined) return this.#reached().length;
    let count = 0;
    for (const part of this.#parts) count += this.graph.shownIn(part)?.count ?? 0;
    // A part of its own is this node alone: whoever it has links with would be among the others.
    const self = this.graph.numberOf(this.#self);
    const own = self === undefined ? undefined : this.graph.partOf(self);
    if (own === undefined || this.#parts.has(own)) return count;
    return count + (this.graph.shownIn(own)?.count ?? 0);
  }

  /** Whether there is a link with the node. */
  isLinked(id: NodeId): boolean {
    return this.#linked.has(id);
  }

  /** The smallest id by bytes of those with an `info` record that are reached, and of this node's. */
  smallest(): NodeId {
    const others = this.#parts === undefined
      ? this.#reached().slice(0, 1).map(({ id }) => id)
      : [...this.#parts].flatMap((part) => this.graph.shownIn(part)?.smallest ?? []);
    return smallestOf(others, this.#self);
  }

  #reached(): readonly NamedNode[] {
    return this.graph.nodes.filter((node) => this.reachesNode(node));
  }

  /**
   * Follows the links of so many more nodes, as whoever asks for paths needs it; whether any are left.
   * Paths may be asked for before, which does at once what is left.
   */
  walk(count: number): boolean {
    return this.#begun().work(count);
  }

  #begun(): Walk {
    this.#walk ??= new Walk(this.graph, this.graph.numberOf(this.#self), this.#links);
    return this.#walk;
  }

  #walked(): Walk {
    const walk = this.#begun();
    while (walk.work(Infinity));
    return walk;
  }
}

/** The smallest id by bytes of these and another. */
export function smallestOf(ids: Iterable<NodeId>, other: NodeId): NodeId {
  let smallest = other;
  for (const id of ids) if (isSmaller(id, smallest)) smallest = id;
  return smallest;
}

function isSmaller(a: NodeId, b: NodeId): boolean {
  // By bytes, as everybody orders ids: the text's alphabet sorts otherwise.
  return compareBytes(nodeIdToBytes(a), nodeIdToBytes(b)) < 0;
}
