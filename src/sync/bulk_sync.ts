/**
 * The requester's half of bulk transfers: from whom records are taken page by page, how far it got,
 * and what is a lie. PROTOCOL §8.7.
 *
 * One transfer at a time: a node that joins differs from all its neighbours in the same records, so
 * the others wait and are compared again when it is over. When one fails in the middle, another that
 * waits goes on behind the last key that was taken. It never decides what a record is worth: the
 * store does that with what came.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { earliest, elapsed, type Instant, later, scaled } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import type { Prng } from "../base/prng.ts";
import type { BulkPage, BulkRequest } from "../wire/bulk.ts";
import {
  type KeyRange,
  type KindRange,
  kindsHold,
  lowestBound,
  rangeHolds,
} from "../wire/key_range.ts";
import { bulkPageBytesMax, bulkRangesMax } from "../wire/limits.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type RecordKey, recordKeyKind } from "../wire/record_key.ts";
import {
  bulkBusyPause,
  bulkFailedPause,
  bulkLiarPause,
  bulkPagesMax,
  bulkPeersMax,
  bulkResumable,
  bulkTimeMax,
} from "./limits.ts";

/** What a neighbour did that no honest one does. */
export type BulkLie =
  | "page malformed"
  | "record malformed"
  | "record outside its range"
  | "records not in order"
  | "record forged";

/** Why a transfer with a neighbour ended before it was complete. */
export type BulkFailure =
  | BulkLie
  | "busy"
  | "not reached"
  | "another node there"
  | "refused"
  | "broken off"
  /** It brings more authors never heard of than a node takes: no lie, an honest fleet may be large. */
  | "over the ration"
  | "pages used up"
  | "time used up";

/** What the node is to do. */
export type BulkEffect =
  /** Dial the neighbour, then ask it for one page after the other. */
  | { readonly kind: "begin"; readonly peer: NodeId }
  /** Nothing is under way any more: compare with these again. */
  | { readonly kind: "compare"; readonly peers: readonly NodeId[] };

/** What is wanted: ranges of keys, ascending and disjoint, of these kinds. */
export interface BulkWish {
  readonly kinds: readonly KindRange[];
  readonly ranges: readonly KeyRange[];
}

interface Transfer {
  readonly kinds: readonly KindRange[];
  /** What is still to be taken; the first may be taken in part, up to `after`. */
  readonly ranges: readonly KeyRange[];
  readonly after: RecordKey | undefined;
  /** Whether another neighbour gave what comes before. */
  readonly isRest: boolean;
  readonly peer: NodeId;
  readonly pages: number;
  readonly begunAt: Instant;
}

const lies: ReadonlySet<string> = new Set<BulkLie>([
  "page malformed",
  "record malformed",
  "record outside its range",
  "records not in order",
  "record forged",
]);

/** The machine. */
export class BulkSync {
  #transfer: Transfer | undefined;
  /** Neighbours that hold much that this node lacks too, in the order in which that was found. */
  readonly #waiting = new Set<NodeId>();
  /** Until when nothing is taken in bulk from a neighbour. */
  readonly #pausedUntil = new BoundedMap<NodeId, Instant>(bulkPeersMax);
  /** Neighbours that had no place free, and when they are compared with again. */
  readonly #busyUntil = new BoundedMap<NodeId, Instant>(bulkPeersMax);
  /** Where a transfer of everything was broken off: the next one goes on there, for a while. */
  #stopped: { readonly after: RecordKey; readonly at: Instant } | undefined;
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** The neighbour from which records are being taken. */
  get peer(): NodeId | undefined {
    return this.#transfer?.peer;
  }

  /** Whether records may be taken in bulk from the neighbour: else a comparison goes on without. */
  mayTake(peer: NodeId, now: Instant): boolean {
    const until = this.#pausedUntil.get(peer);
    return until === undefined || until <= now;
  }

  /** Whether a comparison with the neighbour is to wait: the machine says when it may be made. */
  defers(peer: NodeId): boolean {
    return this.#busyUntil.has(peer) || this.#waiting.has(peer) || this.#transfer?.peer === peer;
  }

  /** A comparison found that the neighbour holds much that this node lacks. */
  want(peer: NodeId, wish: BulkWish, now: Instant): BulkEffect[] {
    if (!this.mayTake(peer, now) || this.#busyUntil.has(peer) || wish.ranges.length === 0) {
      return [];
    }
    if (this.#transfer !== undefined) {
      if (this.#transfer.peer !== peer && this.#waiting.size < bulkPeersMax) {
        this.#waiting.add(peer);
      }
      return [];
    }
    const { kinds, ranges } = wish;
    const after = isWhole(ranges) ? this.#stoppedAfter(now) : undefined;
    this.#transfer = {
      kinds,
      ranges,
      after,
      isRest: after !== undefined,
      peer,
      pages: 0,
      begunAt: now,
    };
    return [{ kind: "begin", peer }];
  }

  /** The next page to ask. Only while a transfer is under way. */
  request(): BulkRequest {
    const { kinds, ranges, after } = this.#current();
    return { kinds, ranges: ranges.slice(0, bulkRangesMax), after, bytesMax: bulkPageBytesMax };
  }

  /** What is wrong with the keys of a page's records, in the order in which they came. */
  judge(keys: readonly RecordKey[]): BulkLie | undefined {
    const { kinds, ranges, after } = this.#current();
    const asked = ranges.slice(0, bulkRangesMax);
    let last = after;
    let at = 0;
    for (const key of keys) {
      if (last !== undefined && key <= last) return "records not in order";
      last = key;
      // Both ascend: a range that ends before this key is behind all later ones too.
      while (endsBefore(asked[at], key)) at += 1;
      const range = asked[at];
      if (range === undefined || !rangeHolds(range, key) || !kindsHold(kinds, recordKeyKind(key))) {
        return "record outside its range";
      }
    }
    return undefined;
  }

  /** A page that was in order has been taken in: how it goes on. */
  handlePage(
    state: Exclude<BulkPage["state"], "busy">,
    last: RecordKey | undefined,
    now: Instant,
  ): "ask on" | "complete" | BulkFailure {
    const transfer = this.#current();
    const pages = transfer.pages + 1;
    if (state === "more") {
      this.#transfer = { ...transfer, pages, after: last ?? transfer.after };
    } else {
      const ranges = transfer.ranges.slice(bulkRangesMax);
      this.#transfer = { ...transfer, pages, ranges, after: undefined };
      if (ranges.length === 0) return "complete";
    }
    if (pages >= bulkPagesMax) return "pages used up";
    return elapsed(transfer.begunAt, now) >= bulkTimeMax ? "time used up" : "ask on";
  }

  /** All was taken, or the neighbour failed: then the next one that waits goes on in its place. */
  handleEnd(outcome: "complete" | BulkFailure, now: Instant): BulkEffect[] {
    const transfer = this.#current();
    const { peer: last } = transfer;
    if (outcome === "busy") {
      const pause = scaled(bulkBusyPause, this.#prng.between(0.5, 1));
      this.#busyUntil.set(last, later(now, pause));
    } else if (outcome !== "complete" || !transfer.isRest) {
      // Who still claims much when everything was taken is not asked for it again at once, either.
      this.#pausedUntil.set(last, later(now, lies.has(outcome) ? bulkLiarPause : bulkFailedPause));
    }
    const peers = this.#busyUntil.has(last) ? [...this.#waiting] : [last, ...this.#waiting];
    if (outcome === "complete") return this.#end(peers);
    for (const peer of this.#waiting) {
      this.#waiting.delete(peer);
      if (!this.mayTake(peer, now)) continue;
      this.#transfer = { ...transfer, isRest: true, peer, pages: 0, begunAt: now };
      return [{ kind: "begin", peer }];
    }
    const { after, ranges } = transfer;
    this.#stopped = after !== undefined && isWhole(ranges) ? { after, at: now } : undefined;
    return this.#end(peers);
  }

  /** When `handleTimeout` wants to be called. */
  nextTimeout(): Instant | undefined {
    let next: Instant | undefined;
    for (const until of this.#busyUntil.values()) next = earliest(next, until);
    return next;
  }

  /** Compares again with those that were busy a while ago. */
  handleTimeout(now: Instant): BulkEffect[] {
    const peers = [...this.#busyUntil.entries()].flatMap(([peer, until]) =>
      until <= now ? [peer] : []
    );
    for (const peer of peers) this.#busyUntil.delete(peer);
    return peers.length === 0 ? [] : [{ kind: "compare", peers }];
  }

  #stoppedAfter(now: Instant): RecordKey | undefined {
    const stopped = this.#stopped;
    this.#stopped = undefined;
    if (stopped === undefined || elapsed(stopped.at, now) > bulkResumable) return undefined;
    return stopped.after;
  }

  #current(): Transfer {
    invariant(this.#transfer !== undefined, "a page belongs to a transfer");
    return this.#transfer;
  }

  #end(peers: readonly NodeId[]): BulkEffect[] {
    this.#transfer = undefined;
    this.#waiting.clear();
    return [{ kind: "compare", peers }];
  }
}

function isWhole([first, ...rest]: readonly KeyRange[]): boolean {
  return first?.low === lowestBound && first.high === undefined && rest.length === 0;
}

function endsBefore(range: KeyRange | undefined, key: string): boolean {
  return range?.high !== undefined && range.high <= key;
}
