/**
 * The body of a `links` record (kind 1): the neighbours with whom a node holds proven links. A CBOR
 * map; keys that this reader does not know are skipped, an empty `lost` is left out. PROTOCOL §7.4.
 *
 * ```text
 * 1 boot nonce   16 bytes
 * 2 links        [[first 16 bytes of the neighbour's id, cost exponent 0–15] … ≤ 32]
 * 3 lost         [first 16 bytes of an id … ≤ 4]: dropped for silence in the last minute
 * ```
 * 1 and 2 are required. The cost of a link is 2^exponent ms. No neighbour stands twice in a list.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { invariant } from "../base/invariant.ts";
import { asArray, asBytes, asMap, asUint, type CborValue } from "./cbor.ts";
import { bootNonceLength, linkCostExponentMax, linksMax, lostMax } from "./limits.ts";
import { type NodeId, nodeIdPrefixLength, nodeIdToBytes } from "./node_id.ts";

/** The first 16 bytes of a node's id, as 32 characters of lower-case hexadecimal. */
export type NodeIdPrefixHex = string;

/** A neighbour and what the way to him costs. */
export interface LinkCost {
  readonly peer: NodeIdPrefixHex;
  /** n of the cost 2ⁿ ms, 0–15. */
  readonly costExponent: number;
}

/** What a node says of its links. */
export interface LinksBody {
  /** 16 bytes, drawn at the node's start. */
  readonly bootNonce: Bytes;
  readonly links: readonly LinkCost[];
  readonly lost: readonly NodeIdPrefixHex[];
}

/** How an id is named in `links`. */
export function prefixHexOf(id: NodeId): NodeIdPrefixHex {
  return toHex(nodeIdToBytes(id).subarray(0, nodeIdPrefixLength));
}

/** The exponent that says a cost in milliseconds: the nearest power of two not below it, 0–15. */
export function costExponentOf(costMs: number): number {
  const exponent = Math.ceil(Math.log2(Math.max(1, costMs)));
  return Math.min(linkCostExponentMax, exponent);
}

function prefixBytes(prefix: NodeIdPrefixHex): Bytes {
  const bytes = fromHex(prefix);
  invariant(bytes?.length === nodeIdPrefixLength, "an id's prefix has 16 bytes");
  return bytes;
}

/** The body as a CBOR value. Not checked against the limits: see `decodeLinks`. */
export function encodeLinks(body: LinksBody): CborValue {
  const map = new Map<number, CborValue>([
    [1, body.bootNonce],
    [2, body.links.map(({ peer, costExponent }) => [prefixBytes(peer), costExponent])],
  ]);
  if (body.lost.length > 0) map.set(3, body.lost.map(prefixBytes));
  return map;
}

function decodePrefix(value: CborValue | undefined): NodeIdPrefixHex | undefined {
  // Not `asBytes`: a copy of each of thirty would be dropped at once.
  return value instanceof Uint8Array && value.length === nodeIdPrefixLength
    ? toHex(value)
    : undefined;
}

/** Reads the body. Never throws. */
export function decodeLinks(value: CborValue | undefined): LinksBody | DecodeError {
  const body = asMap(value);
  if (body === undefined) return new DecodeError("links shape");
  const bootNonce = asBytes(body.get(1), bootNonceLength);
  if (bootNonce === undefined) return new DecodeError("links boot nonce");
  const linkItems = asArray(body.get(2), linksMax);
  if (linkItems === undefined) return new DecodeError("links list");
  const links = new Map<NodeIdPrefixHex, LinkCost>();
  for (const item of linkItems) {
    const pair = asArray(item, 2);
    const peer = decodePrefix(pair?.[0]);
    const costExponent = asUint(pair?.[1], linkCostExponentMax);
    if (peer === undefined || costExponent === undefined || links.has(peer)) {
      return new DecodeError("links neighbour");
    }
    links.set(peer, { peer, costExponent });
  }
  const lost = new Set<NodeIdPrefixHex>();
  const lostItems = body.get(3) === undefined ? [] : asArray(body.get(3), lostMax);
  if (lostItems === undefined) return new DecodeError("links lost list");
  for (const item of lostItems) {
    const peer = decodePrefix(item);
    if (peer === undefined || lost.has(peer)) return new DecodeError("links lost neighbour");
    lost.add(peer);
  }
  return { bootNonce, links: [...links.values()], lost: [...lost] };
}
