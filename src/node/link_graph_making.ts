/**
 * Makes the graph of links of what a store holds now, of one that was made before and the records
 * that have changed since: that costs what changed, and a copy of some lists of numbers. The first
 * graph is made of nothing; in a big fleet it takes longer than anybody may be kept waiting, so it
 * can be made some records at a time.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import type { RecordStore, VerifiedRecord } from "../sync/mod.ts";
import { infoKind, linksKind } from "../wire/record_key.ts";
import { type Neighbours, PartsMaking } from "./graph_parts.ts";
import { graphsMax } from "./limits.ts";
import { LinkGraph, type LinkGraphContent } from "./link_graph.ts";
import { type NamedNode, type NodeNumbers, numbersFor } from "./node_numbers.ts";

/** Keys of `info` records and then of `links` records are the first, below this. */
const linksBefore = "02";

/** Nodes whose lists are joined in the time in which one record is taken apart. */
const joinsPerRecord = 8;

/** The records of one moment: a store, or what it held. */
export type GraphSource = Pick<RecordStore, "tree" | "authorCount">;

/** An `info` record that can be read came, went or was replaced. */
interface NodeChange {
  readonly number: number;
  readonly before: NamedNode | undefined;
  readonly after: NamedNode | undefined;
}

/** Makes the graph of the records that a store holds when this begins. */
export class LinkGraphMaking {
  readonly #before: LinkGraphContent;
  readonly #tree: RecordStore["tree"];
  readonly #changes: ReturnType<typeof changesOf>;
  readonly #nodeChanges: NodeChange[] = [];
  /** Whose lists are others, and what they are now. */
  readonly #relisted: { readonly author: number; readonly neighbours: Neighbours[number] }[] = [];
  #neighbours: Neighbours = [];
  #parts: PartsMaking | undefined;

  /** @param older One of these records as they were; what does not fit is passed over. */
  constructor(store: GraphSource, older?: LinkGraph) {
    const numbers = numbersFor(store.authorCount);
    this.#tree = store.tree;
    const usable = older?.content.numbers === numbers ? older.content : undefined;
    const changes = usable === undefined ? undefined : changesOf(this.#tree, usable);
    this.#before = changes === undefined || usable === undefined ? nothing(numbers) : usable;
    this.#changes = changes ?? changesOf(this.#tree, this.#before);
  }

  /** Reads so many more records, or the lists of so many nodes; whether anything is left to do. */
  work(count: number): boolean {
    for (let i = 0; this.#parts === undefined && i < count; i++) {
      const next = this.#changes?.next();
      if (next === undefined || next.done === true) this.#parts = this.#beginParts();
      else this.#read(next.value.before, next.value.after);
    }
    return this.#parts === undefined || this.#parts.join(joinsPerRecord * count);
  }

  #read(before: VerifiedRecord | undefined, after: VerifiedRecord | undefined): void {
    const { numbers } = this.#before;
    const kind = (after ?? before)?.kind;
    if (kind === infoKind) {
      const was = before === undefined ? undefined : numbers.named(before);
      const is = after === undefined ? undefined : numbers.named(after);
      const number = (is ?? was)?.number;
      if (number !== undefined) this.#nodeChanges.push({ number, before: was, after: is });
    } else if (kind === linksKind) {
      const was = before === undefined ? undefined : numbers.listing(before);
      const is = after === undefined ? undefined : numbers.listing(after);
      const author = (is ?? was)?.author;
      if (author !== undefined) this.#relisted.push({ author, neighbours: is?.neighbours });
    }
  }

  #beginParts(): PartsMaking {
    const { parts: partsBefore, neighbours: before, numbers } = this.#before;
    // Of its length from the start: filled in no order it would become a table of hashes.
    const after = new Array<Neighbours[number]>(numbers.size);
    for (let number = 0; number < before.length; number++) after[number] = before[number];
    for (const { author, neighbours } of this.#relisted) after[author] = neighbours;
    this.#neighbours = after;
    const relisted = this.#relisted.map(({ author }) => author);
    return new PartsMaking({ partsBefore, before, after, relisted }, numbers.size);
  }

  /** The graph; does at once what `work` has left. */
  finish(): LinkGraph {
    while (this.work(Infinity));
    const { numbers } = this.#before;
    return new LinkGraph({
      tree: this.#tree,
      numbers,
      nodes: this.#nodes(),
      neighbours: this.#neighbours,
      parts: this.#parts?.finish() ?? new Int32Array(0),
    });
  }

  #nodes(): readonly NamedNode[] {
    const { nodes: before, numbers } = this.#before;
    if (this.#nodeChanges.length === 0) return before;
    const nodes: NamedNode[] = [];
    let at = 0;
    for (const change of this.#nodeChanges) {
      const place = placeOf(change.number, before, numbers, at);
      for (; at < place; at++) pushIf(nodes, before[at]);
      if (change.before !== undefined) at += 1;
      pushIf(nodes, change.after);
    }
    for (; at < before.length; at++) pushIf(nodes, before[at]);
    return nodes;
  }
}

function pushIf(nodes: NamedNode[], node: NamedNode | undefined): void {
  if (node !== undefined) nodes.push(node);
}

/** Where the node stands among those, which are in order of ids, or would stand. */
function placeOf(
  number: number,
  nodes: readonly NamedNode[],
  numbers: NodeNumbers,
  from: number,
): number {
  const prefix = numbers.prefixOf(number);
  let [low, high] = [from, nodes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const node = nodes[middle];
    if (node !== undefined && numbers.prefixOf(node.number) < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nothing(numbers: NodeNumbers): LinkGraphContent {
  const neighbours: Neighbours = [];
  return { tree: undefined, numbers, nodes: [], neighbours, parts: new Int32Array(0) };
}

function changesOf(tree: RecordStore["tree"], since: LinkGraphContent) {
  return tree.changesSince(since.tree, linksBefore);
}

/** By the root of the records' tree, which is the same wherever the same records are held. */
const graphs = new BoundedMap<object, LinkGraph>(graphsMax);
/** The one made last: of the same store, or of another that holds nearly the same. */
let latest: LinkGraph | undefined;

function keep(graph: LinkGraph): LinkGraph {
  latest = graph;
  const root = graph.content.tree?.root;
  if (root !== undefined) graphs.set(root, graph);
  return graph;
}

/** The graph of what the store holds now; the same as before while that is the same. */
export function linkGraphOf(store: GraphSource): LinkGraph {
  const { root } = store.tree;
  const known = root === undefined ? undefined : graphs.get(root);
  return known ?? keep(new LinkGraphMaking(store, latest).finish());
}

/**
 * Prepares the graph of what a store holds now, some records at a time; the next one asked for is
 * made of it.
 */
export class GraphAhead {
  readonly #making: LinkGraphMaking;

  constructor(store: RecordStore) {
    this.#making = new LinkGraphMaking(store);
  }

  /** Takes apart so many more; whether any are left. */
  read(count: number): boolean {
    if (this.#making.work(count)) return true;
    keep(this.#making.finish());
    return false;
  }
}
