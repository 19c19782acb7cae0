/**
 * Who has links with whom, as far as both ends list it: one picture of the records, read once. A
 * node can invent links only between identities of its own, so what only one end lists is nothing.
 *
 * Two nodes with a path between them are in one part of the graph; the parts are found when the
 * graph is made (union-find, Tarjan 1975), paths only when somebody asks (`reach.ts`).
 *
 * Nodes are small numbers here, the same for every picture this process looks at: a record is taken
 * apart once however many pictures it stands in, and a fleet of ten thousand takes milliseconds.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { isDecodeError } from "../base/decode.ts";
import { readInfo, readLinks, type RecordStore, type VerifiedRecord } from "../sync/mod.ts";
import { type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { linksKind } from "../wire/record_key.ts";
import { graphsMax, nodeNumbersPerAuthor, nodeNumbersSpare } from "./limits.ts";

/** A node with an `info` record. */
export interface NamedNode {
  readonly id: NodeId;
  readonly number: number;
  readonly name: string;
}

/** What a `links` record says. */
interface Listing {
  readonly author: number;
  readonly neighbours: readonly number[];
}

const noNeighbours: readonly number[] = [];
/** Keys of `info` records are from the first on and before the second; `links` records' come then. */
const [infosFrom, linksFrom, linksBefore] = ["00", "01", "02"] as const;

/** The first 16 bytes of the author in a record's key. */
function authorPrefix(record: VerifiedRecord): NodeIdPrefixHex {
  return record.key.slice(2, 34);
}

/** The numbers of nodes, and the records that were taken apart into them. */
class NodeNumbers {
  readonly #numbers = new Map<NodeIdPrefixHex, number>();
  readonly #named = new WeakMap<VerifiedRecord, NamedNode>();
  readonly #listings = new WeakMap<VerifiedRecord, Listing>();

  get size(): number {
    return this.#numbers.size;
  }

  find(prefix: NodeIdPrefixHex): number | undefined {
    return this.#numbers.get(prefix);
  }

  give(prefix: NodeIdPrefixHex): number {
    const known = this.#numbers.get(prefix);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(prefix, number);
    return number;
  }

  named(record: VerifiedRecord): NamedNode | undefined {
    const known = this.#named.get(record);
    if (known !== undefined) return known;
    const info = readInfo(record);
    if (isDecodeError(info)) return undefined;
    const named = { id: record.author, number: this.give(authorPrefix(record)), name: info.name };
    this.#named.set(record, named);
    return named;
  }

  listing(record: VerifiedRecord): Listing {
    const known = this.#listings.get(record);
    if (known !== undefined) return known;
    const body = readLinks(record);
    const listing = {
      author: this.give(authorPrefix(record)),
      neighbours: isDecodeError(body)
        ? noNeighbours
        : body.links.map(({ peer }) => this.give(peer)),
    };
    this.#listings.set(record, listing);
    return listing;
  }
}

/** What a record says is the same in every picture; begun anew when it holds mostly the gone. */
let sharedNumbers = new NodeNumbers();

function numbersFor(authors: number): NodeNumbers {
  if (sharedNumbers.size > nodeNumbersSpare + nodeNumbersPerAuthor * authors) {
    sharedNumbers = new NodeNumbers();
  }
  return sharedNumbers;
}

/** The graph of one picture; never changes. */
export class LinkGraph {
  /** All with an `info` record, in the order of their ids' bytes. */
  readonly nodes: readonly NamedNode[];
  readonly #numbers: NodeNumbers;
  readonly #neighbours: readonly (readonly number[] | undefined)[];
  /** For each number that of the node which stands for its part. */
  readonly #parts: Int32Array;
  /** By the number that stands for a part: its nodes with an `info` record. */
  readonly #shown = new Map<number, { count: number; readonly smallest: NodeId }>();
  #shared: ReadonlyMap<string, readonly NodeId[]> | undefined;

  /** @param store Read now; what changes in it later is another graph. */
  constructor(store: RecordStore) {
    const numbers = numbersFor(store.authorCount);
    this.#numbers = numbers;
    // Of its length from the start: filled in no order it would become a table of hashes.
    const neighbours = new Array<readonly number[] | undefined>(numbers.size);
    for (const record of store.range(linksFrom, linksBefore)) {
      const listing = numbers.listing(record);
      neighbours[listing.author] = listing.neighbours;
    }
    this.#neighbours = neighbours;
    const nodes: NamedNode[] = [];
    for (const record of store.range(infosFrom, linksFrom)) {
      const node = numbers.named(record);
      if (node !== undefined) nodes.push(node);
    }
    this.nodes = nodes;
    this.#parts = partsOf(neighbours, numbers.size);
    for (const { id, number } of nodes) {
      const part = this.partOf(number);
      const shown = this.#shown.get(part);
      if (shown === undefined) this.#shown.set(part, { count: 1, smallest: id });
      else shown.count++;
    }
  }

  /** The node's number, if a record of its own or of another names it. */
  numberOf(id: NodeId): number | undefined {
    return this.#numbers.find(prefixHexOf(id));
  }

  /** The number that stands for the part of the graph in which the node is. */
  partOf(number: number): number {
    // A number that was given after this graph was made belongs to nobody in it.
    return this.#parts[number] ?? number;
  }

  /** How many of a part have an `info` record, and the smallest id of these, by bytes. */
  shownIn(part: number): { readonly count: number; readonly smallest: NodeId } | undefined {
    return this.#shown.get(part);
  }

  /** Those whom the node lists and who list it, in the order of its record. */
  *neighboursOf(number: number): IterableIterator<number> {
    for (const other of this.#neighbours[number] ?? noNeighbours) {
      if (other !== number && this.#neighbours[other]?.includes(number) === true) yield other;
    }
  }

  /** Numbers that nodes of this graph have are below this. */
  get numbersEnd(): number {
    return this.#parts.length;
  }

  /** Whether a node has the same number in the other graph. */
  numbersAsIn(other: LinkGraph): boolean {
    return this.#numbers === other.#numbers;
  }

  /** Names that more than one node claims, and who. */
  get sharedNames(): ReadonlyMap<string, readonly NodeId[]> {
    this.#shared ??= sharedNamesOf(this.nodes);
    return this.#shared;
  }
}

/**
 * Takes apart what a store holds now for the graphs to come, some records at a time: those of a big
 * fleet take longer than anybody may be kept waiting.
 */
export class RecordsAhead {
  readonly #records: Iterator<VerifiedRecord>;
  readonly #numbers: NodeNumbers;

  constructor(store: RecordStore) {
    this.#records = store.tree.range(infosFrom, linksBefore);
    this.#numbers = numbersFor(store.authorCount);
  }

  /** Takes apart so many more; whether any are left. */
  read(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const { done, value } = this.#records.next();
      if (done === true) return false;
      if (value.kind === linksKind) this.#numbers.listing(value);
      else this.#numbers.named(value);
    }
    return true;
  }
}

/** For each number the one that stands for its part. */
function partsOf(
  neighbours: readonly (readonly number[] | undefined)[],
  size: number,
): Int32Array {
  const parts = new Int32Array(size);
  for (let number = 0; number < size; number++) parts[number] = number;
  const find = (number: number): number => {
    let at = number;
    for (;;) {
      const above = parts[at] ?? at;
      if (above === at) return at;
      // Halves the way for the next who comes along.
      const further = parts[above] ?? above;
      parts[at] = further;
      at = further;
    }
  };
  for (let number = 0; number < size; number++) {
    for (const other of neighbours[number] ?? noNeighbours) {
      if (other >= number) continue;
      const left = find(number);
      const right = find(other);
      // Nearly all are in one part soon: then nobody need look at what the other lists.
      if (left === right || neighbours[other]?.includes(number) !== true) continue;
      parts[Math.max(left, right)] = Math.min(left, right);
    }
  }
  for (let number = 0; number < size; number++) parts[number] = find(number);
  return parts;
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

/** By the root of the records' tree, which is the same wherever the same records are held. */
const graphs = new BoundedMap<object, LinkGraph>(graphsMax);

/** The graph of what the store holds now; the same as before while that is the same. */
export function linkGraphOf(store: RecordStore): LinkGraph {
  const { root } = store.tree;
  const known = root === undefined ? undefined : graphs.get(root);
  if (known !== undefined) return known;
  const graph = new LinkGraph(store);
  if (root !== undefined) graphs.set(root, graph);
  return graph;
}
