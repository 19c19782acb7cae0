/**
 * Nodes as small numbers, the same for every picture this process looks at: a record is taken apart
 * once, however many pictures it stands in, and a fleet of ten thousand takes milliseconds.
 *
 * @module
 */
import { isDecodeError } from "../base/decode.ts";
import { readInfo, readLinks, type VerifiedRecord } from "../sync/mod.ts";
import type { NodeIdPrefixHex } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { nodeNumbersPerAuthor, nodeNumbersSpare } from "./limits.ts";

/** A node with an `info` record. */
export interface NamedNode {
  readonly id: NodeId;
  readonly number: number;
  readonly name: string;
}

/** What a `links` record says. */
export interface Listing {
  readonly author: number;
  readonly neighbours: readonly number[];
}

/** Those of a record that names none. */
export const noNeighbours: readonly number[] = [];

/** The first 16 bytes of the author in a record's key. */
function authorPrefix(record: VerifiedRecord): NodeIdPrefixHex {
  return record.key.slice(2, 34);
}

/** The numbers of nodes, and the records that were taken apart into them. */
export class NodeNumbers {
  readonly #numbers = new Map<NodeIdPrefixHex, number>();
  readonly #prefixes: NodeIdPrefixHex[] = [];
  readonly #named = new WeakMap<VerifiedRecord, NamedNode>();
  readonly #listings = new WeakMap<VerifiedRecord, Listing>();

  /** Numbers given are below this. */
  get size(): number {
    return this.#prefixes.length;
  }

  /** The number of the node that begins so, if it has one. */
  find(prefix: NodeIdPrefixHex): number | undefined {
    return this.#numbers.get(prefix);
  }

  /** How the id of the node of that number begins: in order of these, nodes are in that of ids. */
  prefixOf(number: number): NodeIdPrefixHex {
    return this.#prefixes[number] ?? "";
  }

  #give(prefix: NodeIdPrefixHex): number {
    const known = this.#numbers.get(prefix);
    if (known !== undefined) return known;
    const number = this.#prefixes.push(prefix) - 1;
    this.#numbers.set(prefix, number);
    return number;
  }

  /** The node of an `info` record that can be read. */
  named(record: VerifiedRecord): NamedNode | undefined {
    const known = this.#named.get(record);
    if (known !== undefined) return known;
    const info = readInfo(record);
    if (isDecodeError(info)) return undefined;
    const named = { id: record.author, number: this.#give(authorPrefix(record)), name: info.name };
    this.#named.set(record, named);
    return named;
  }

  /** What a `links` record says; one that cannot be read says nothing. */
  listing(record: VerifiedRecord): Listing {
    const known = this.#listings.get(record);
    if (known !== undefined) return known;
    const body = readLinks(record);
    const listing = {
      author: this.#give(authorPrefix(record)),
      neighbours: isDecodeError(body)
        ? noNeighbours
        : body.links.map(({ peer }) => this.#give(peer)),
    };
    this.#listings.set(record, listing);
    return listing;
  }
}

/** What a record says is the same in every picture; begun anew when it holds mostly the gone. */
let sharedNumbers = new NodeNumbers();

/** The numbers for a picture of so many authors. */
export function numbersFor(authors: number): NodeNumbers {
  if (sharedNumbers.size > nodeNumbersSpare + nodeNumbersPerAuthor * authors) {
    sharedNumbers = new NodeNumbers();
  }
  return sharedNumbers;
}
