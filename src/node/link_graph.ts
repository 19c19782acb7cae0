/**
 * Who has links with whom, as far as both ends list it: one picture of the records, read once. A
 * node can invent links only between identities of its own, so what only one end lists is nothing.
 *
 * Two nodes with a path between them are in one part of the graph; the parts are found when the
 * graph is made (`link_graph_making.ts`), paths only when somebody asks (`reach.ts`).
 *
 * @module
 */
import type { RecordTree, VerifiedRecord } from "../sync/mod.ts";
import { prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Neighbours } from "./graph_parts.ts";
import { type NamedNode, type NodeNumbers, noNeighbours } from "./node_numbers.ts";

/** What a graph is made of. */
export interface LinkGraphContent {
  /** The records that it is a picture of. */
  readonly tree: RecordTree<VerifiedRecord> | undefined;
  readonly numbers: NodeNumbers;
  /** All with an `info` record, in the order of their ids' bytes. */
  readonly nodes: readonly NamedNode[];
  readonly neighbours: Neighbours;
  /** For each number that of the node which stands for its part. */
  readonly parts: Int32Array;
}

/** How many of a part have an `info` record, and the smallest id of these, by bytes. */
interface ShownPart {
  count: number;
  readonly smallest: NodeId;
}

/** The graph of one picture; never changes. */
export class LinkGraph {
  readonly content: LinkGraphContent;
  #shownParts: ReadonlyMap<number, ShownPart> | undefined;
  #shared: ReadonlyMap<string, readonly NodeId[]> | undefined;

  constructor(content: LinkGraphContent) {
    this.content = content;
  }

  /** All with an `info` record, in the order of their ids' bytes. */
  get nodes(): readonly NamedNode[] {
    return this.content.nodes;
  }

  /** The node's number, if a record of its own or of another names it. */
  numberOf(id: NodeId): number | undefined {
    return this.content.numbers.find(prefixHexOf(id));
  }

  /** The number that stands for the part of the graph in which the node is. */
  partOf(number: number): number {
    // A number that was given after this graph was made belongs to nobody in it.
    return this.content.parts[number] ?? number;
  }

  /** How many of a part have an `info` record, and the smallest id of these, by bytes. */
  shownIn(part: number): Readonly<ShownPart> | undefined {
    this.#shownParts ??= this.#shown();
    return this.#shownParts.get(part);
  }

  #shown(): ReadonlyMap<number, ShownPart> {
    const parts = new Map<number, ShownPart>();
    for (const { id, number } of this.nodes) {
      const part = this.partOf(number);
      const shown = parts.get(part);
      if (shown === undefined) parts.set(part, { count: 1, smallest: id });
      else shown.count++;
    }
    return parts;
  }

  /** Those whom the node lists and who list it, in the order of its record. */
  *neighboursOf(number: number): IterableIterator<number> {
    for (const other of this.listedBy(number)) {
      if (other !== number && this.lists(other, number)) yield other;
    }
  }

  /** Whom the node lists, in the order of its record. */
  listedBy(number: number): readonly number[] {
    return this.content.neighbours[number] ?? noNeighbours;
  }

  /** Whether the node lists the other. */
  lists(number: number, other: number): boolean {
    return this.listedBy(number).includes(other);
  }

  /** Numbers that nodes of this graph have are below this. */
  get numbersEnd(): number {
    return this.content.parts.length;
  }

  /** Whether a node has the same number in the other graph. */
  numbersAsIn(other: LinkGraph): boolean {
    return this.content.numbers === other.content.numbers;
  }

  /** Names that more than one node claims, and who. */
  get sharedNames(): ReadonlyMap<string, readonly NodeId[]> {
    this.#shared ??= sharedNamesOf(this.nodes);
    return this.#shared;
  }
}

function sharedNamesOf(nodes: readonly NamedNode[]): Map<string, readonly NodeId[]> {
  const first = new Map<string, NodeId>();
  const shared = new Map<string, NodeId[]>();
  for (const { id, name } of nodes) {
    const before = first.get(name);
    if (before === undefined) first.set(name, id);
    else {
      const claimants = shared.get(name);
      if (claimants === undefined) shared.set(name, [before, id]);
      else claimants.push(id);
    }
  }
  return shared;
}
