/**
 * Who watches whom: of the nodes that X's newest `links` names and whose own newest `links` name X,
 * the two that lead an order which X's id and theirs decide. So everybody can compute it, nobody
 * chooses his watchers, and nobody is asked. PROTOCOL §8.5.
 *
 * The order need not resist anybody who searches for ids: whoever wants to lead the order of one X
 * makes new identities until one does, under any hash. So the ids, which are hashes already, are
 * mixed by MurmurHash3 (A. Appleby, x86, 32 bits): even, not symmetric, without waiting.
 *
 * @module
 */
import { type Instant, later, milliseconds } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import type { NodeIdPrefixHex } from "../wire/links.ts";
import { probeInterval, watchersPerNode } from "./limits.ts";

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Four bits of a lower-case hexadecimal digit. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code - (code < 0x60 ? 0x30 : 0x57);
}

/** A word of 32 bits, the lowest byte first, of eight digits. */
function wordAt(text: string, at: number): number {
  let word = 0;
  for (let byte = 0; byte < 4; byte++) {
    const place = at + 2 * byte;
    word |= (digitAt(text, place) << 4 | digitAt(text, place + 1)) << 8 * byte;
  }
  return word;
}

/** The hash with these bytes mixed in: lower-case hexadecimal, whole words. */
function mixed(before: number, text: string): number {
  invariant(text.length % 8 === 0, "whole words are mixed");
  let hash = before;
  for (let at = 0; at < text.length; at += 8) {
    const word = Math.imul(rotated(Math.imul(wordAt(text, at), 0xcc9e2d51), 15), 0x1b873593);
    hash = (Math.imul(rotated(hash ^ word, 13), 5) + 0xe6546b64) | 0;
  }
  return hash;
}

/** What becomes of the mix of so many digits in the end. */
function finished(mix: number, digits: number): number {
  let hash = mix ^ digits / 2;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** MurmurHash3_x86_32 of bytes in lower-case hexadecimal, a multiple of four of them. */
export function murmur3(text: string, seed: number): number {
  return finished(mixed(seed, text), text.length);
}

/** Where `watcher` stands in the order of `watched`: the lowest leads. 0…2³² − 1. */
export function watchRank(watched: NodeIdPrefixHex, watcher: NodeIdPrefixHex): number {
  return murmur3(watched + watcher, 0);
}

/**
 * When a watcher's next turn is: the watchers of a node divide the interval between them by the one
 * clock that all of them know, its own. So a death waits half an interval for a probe at most.
 *
 * @param turn Which of its watchers, from 0.
 * @param timeThere What the watched node's monotonic clock shows at `now`.
 */
export function nextTurn(
  watched: NodeIdPrefixHex,
  turn: number,
  timeThere: Instant,
  now: Instant,
): Instant {
  // Nodes that started together must not all be probed together.
  const phase = watchRank(watched, watched) + turn * probeInterval / watchersPerNode;
  const wait = ((phase - timeThere) % probeInterval + probeInterval) % probeInterval;
  return later(now, milliseconds(wait));
}

/**
 * The watchers of a node: two, or as many as there are confirmed links, if those are fewer.
 *
 * @param listed Whom its newest `links` names.
 * @param confirms Whether that neighbour's newest `links` names it.
 */
export function watchersOf(
  watched: NodeIdPrefixHex,
  listed: readonly NodeIdPrefixHex[],
  confirms: (neighbour: NodeIdPrefixHex) => boolean,
): NodeIdPrefixHex[] {
  // The first half of what `watchRank` mixes is the same for all.
  const begun = mixed(0, watched);
  const rankOf = (neighbour: NodeIdPrefixHex) =>
    finished(mixed(begun, neighbour), watched.length + neighbour.length);
  return listed.filter(confirms)
    .map((neighbour) => ({ neighbour, rank: rankOf(neighbour) }))
    .sort((x, y) => x.rank - y.rank || (x.neighbour < y.neighbour ? -1 : 1))
    .slice(0, watchersPerNode)
    .map(({ neighbour }) => neighbour);
}
