/**
 * Serves pages of records to nodes that lack hundreds: a few nodes at a time, each so many pages.
 * PROTOCOL §8.7.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { elapsed, type Instant } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { answerBulk, type RecordRanges } from "../sync/mod.ts";
import { type BulkPage, decodeBulkRequest, encodeBulkPage } from "../wire/bulk.ts";
import type { NodeId } from "../wire/node_id.ts";
import { bulkServedIdle, bulkServedMax } from "./limits.ts";
import type { Peer } from "./peer.ts";

const busy: BulkPage = { state: "busy", records: [] };

/** Answers requests for records. */
export class BulkAnswers {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #store: RecordRanges;
  /** Who is being served, and when it last asked. */
  readonly #served = new Map<NodeId, Instant>();

  constructor(clock: Clock, counters: Counters, store: RecordRanges) {
    this.#clock = clock;
    this.#counters = counters;
    this.#store = store;
  }

  /** A page for the peer, or that it is to come later; `undefined` refuses what is no request. */
  answer(peer: Peer, body: Bytes): Bytes | undefined {
    const request = decodeBulkRequest(body);
    if (isDecodeError(request)) {
      this.#counters.count(`bulk request: ${request.reason}`);
      return undefined;
    }
    const page = this.#admits(peer) ? answerBulk(this.#store, request) : busy;
    if (page.state === "end") this.#served.delete(peer.id);
    return encodeBulkPage(page);
  }

  #admits(peer: Peer): boolean {
    const now = this.#clock.monotonic();
    for (const [id, askedAt] of this.#served) {
      if (elapsed(askedAt, now) >= bulkServedIdle) this.#served.delete(id);
    }
    if (!this.#served.has(peer.id) && this.#served.size >= bulkServedMax) {
      this.#counters.count("bulk request: too many served at once");
      return false;
    }
    if (!peer.pageBudget.take(now)) {
      this.#counters.count("bulk request: peer over its budget");
      return false;
    }
    this.#served.set(peer.id, now);
    return true;
  }
}
