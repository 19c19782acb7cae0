/**
 * Who tells whom of a change: for every change half of the links would carry the same offer both ways
 * and most of the rest one that nobody needs. Both ends compute, from the change's hash and their
 * ids, whether their link sits this change out and which end speaks first. PROTOCOL §8.4.
 *
 * The mixing is not cryptographic and need not be: hash and ids are SHA-256 already, and an author
 * who seeks a hash that many links sit out only slows his own record down until a digest finds it.
 * Ends that disagree about the other's links both tell, or one does: nothing is lost by it.
 *
 * @module
 */
import { type Bytes, compareBytes } from "../base/bytes.ts";
import { type NodeId, nodeIdToBytes } from "../wire/node_id.ts";
import { activeLinks, plainLinksMax } from "./limits.ts";

/**
 * This end's turn at telling the other of one change: at once; only if the other end has not shown it
 * after a while; not at all.
 */
export type LinkTurn = "first" | "second" | "quiet";

/** The end of a link: what both ends compute their turns from. */
export interface LinkEnd {
  /** The same at both ends, 32 bits. */
  readonly seed: number;
  /** Whether this node's id is the lower one, by bytes. */
  readonly isLower: boolean;
}

/** The finalizer of MurmurHash3 for 32 bits. */
function mix(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ mixed >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return (mixed ^ mixed >>> 16) >>> 0;
}

/** FNV-1a, 32 bits. */
function hashOf(...parts: readonly Bytes[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    for (const byte of part) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/** This node's end of its link with the other. */
export function linkEnd(self: NodeId, other: NodeId): LinkEnd {
  const [ours, theirs] = [nodeIdToBytes(self), nodeIdToBytes(other)];
  const isLower = compareBytes(ours, theirs) < 0;
  return { seed: isLower ? hashOf(ours, theirs) : hashOf(theirs, ours), isLower };
}

/** What is drawn for a change on a link, 32 bits each: whether the link takes part, and its order. */
export function drawLots(
  { seed }: LinkEnd,
  hashPrefix: Bytes,
): { readonly part: number; readonly order: number } {
  const view = new DataView(hashPrefix.buffer, hashPrefix.byteOffset, 8);
  const part = mix(seed ^ view.getUint32(0));
  return { part, order: mix(part ^ view.getUint32(4)) };
}

/**
 * This end's turn at a change.
 *
 * @param hashPrefix First bytes of the record's hash, 8 at least.
 * @param links How many links the end with fewer of them is believed to have.
 */
export function linkTurn(end: LinkEnd, hashPrefix: Bytes, links: number): LinkTurn {
  // Where links are few each may be the only way.
  if (links <= plainLinksMax) return "first";
  const { part, order } = drawLots(end, hashPrefix);
  if (part * links >= activeLinks * 2 ** 32) return "quiet";
  const isLowersTurn = order % 2 === 0;
  return isLowersTurn === end.isLower ? "first" : "second";
}
