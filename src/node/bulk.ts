/**
 * Takes records in bulk: dials the neighbour with the exchange that every dial has, asks for one page
 * after the other on that connection, and has each verified and taken in before the next is asked.
 * PROTOCOL §8.7.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { DecodeError } from "../base/decode.ts";
import { type Duration, type Instant, later } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import type { ExchangeResult } from "../session/mod.ts";
import {
  type BulkEffect,
  type BulkFailure,
  BulkSync,
  type BulkWish,
  recordKeyOf,
} from "../sync/mod.ts";
import { type BulkRequest, decodeBulkPage, encodeBulkRequest } from "../wire/bulk.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type RecordKey, recordKeyAuthor } from "../wire/record_key.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import type { Authenticator, ExchangePlace, ProvenConnection } from "./authenticator.ts";
import type { Background } from "./background.ts";
import { bulkPageWait, dialAddressesMax, exchangeWait } from "./limits.ts";
import { shedReasons } from "./overload.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { Timed } from "./pump.ts";
import type { WorkBudget } from "./work_budget.ts";

/** What taking records in bulk tells and asks the node. */
export interface BulkOwner {
  /** Addresses at which the node says it can be dialled, the likeliest first. */
  addressesOf(id: NodeId): readonly SocketAddress[];
  /** The exchange on the connection was finished. */
  handleDialled(result: ExchangeResult, place: ExchangePlace): void;
  /** Whether a record of the author is held. */
  isKnown(author: NodeId): boolean;
  /** Verifies and admits: how many were new, and whether one was forged. */
  takePage(
    records: readonly Bytes[],
  ): Promise<{ readonly taken: number; readonly isForged: boolean }>;
  /** A comparison with the peer is due. */
  compareWith(peer: Peer): void;
}

/** Parts of it. */
export interface BulkOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly background: Background;
  readonly prng: Prng;
  readonly peers: PeerTable;
  readonly authenticator: Pick<Authenticator, "dial">;
  /** Authors never heard of that may come in bulk, whoever brings them: one may have many names. */
  readonly newAuthors: WorkBudget;
  readonly owner: BulkOwner;
  /** Aborts when the node stops. */
  readonly stopping: AbortSignal;
}

/** Bulk transfers at work, on the side that takes. */
export class Bulk implements Timed {
  readonly #options: BulkOptions;
  readonly #machine: BulkSync;
  /** Records that were new since the last comparison with all links. */
  #taken = 0;

  constructor(options: BulkOptions) {
    this.#options = options;
    this.#machine = new BulkSync(options.prng);
  }

  #now(): Instant {
    return this.#options.clock.monotonic();
  }

  /** Whether records may be taken from the peer. */
  mayTake(peer: Peer): boolean {
    return this.#machine.mayTake(peer.id, this.#now());
  }

  /** Whether a comparison with the peer waits for the end of a transfer. */
  defers(peer: Peer): boolean {
    return this.#machine.defers(peer.id);
  }

  /** The peer holds much that this node lacks. */
  want(peer: Peer, wish: BulkWish): void {
    this.#perform(this.#machine.want(peer.id, wish, this.#now()));
  }

  #perform(effects: readonly BulkEffect[], failed = false): void {
    const { background, peers, owner } = this.#options;
    for (const effect of effects) {
      if (effect.kind === "begin") {
        background.own(`take records from ${effect.peer}`, this.#run(effect.peer));
        continue;
      }
      const due = new Set(effect.peers.flatMap((id) => peers.get(id) ?? []));
      // Those that lack what was taken learn of it by being compared with; and of those that hold
      // what a neighbour failed to give one is found.
      if (failed || this.#taken > 0) {
        for (const link of peers.links()) due.add(link);
      }
      this.#taken = 0;
      for (const peer of due) owner.compareWith(peer);
    }
  }

  async #run(id: NodeId): Promise<void> {
    const { counters, stopping } = this.#options;
    const outcome = await this.#takeFrom(id);
    counters.count(`bulk: ${outcome}`);
    if (stopping.aborted) return;
    this.#perform(this.#machine.handleEnd(outcome, this.#now()), outcome !== "complete");
  }

  async #takeFrom(id: NodeId): Promise<"complete" | BulkFailure> {
    const { peers, authenticator } = this.#options;
    const peer = peers.get(id);
    let outcome: "complete" | BulkFailure | undefined;
    for (const address of peer === undefined ? [] : this.#addressesOf(peer)) {
      await this.#within(
        exchangeWait,
        (signal) =>
          authenticator.dial(address, signal, undefined, async (proven) => {
            outcome = await this.#takeOver(proven, id);
          }),
      );
      if (outcome !== undefined) return outcome;
    }
    return "not reached";
  }

  #addressesOf({ id, address, dialledAt }: Peer): readonly SocketAddress[] {
    const all = [dialledAt, address, ...this.#options.owner.addressesOf(id)];
    const byText = new Map(
      all.flatMap((one) => one === undefined ? [] : [[formatSocketAddress(one), one] as const]),
    );
    return [...byText.values()].slice(0, dialAddressesMax);
  }

  async #takeOver(proven: ProvenConnection, id: NodeId): Promise<"complete" | BulkFailure> {
    const { counters, owner } = this.#options;
    const machine = this.#machine;
    owner.handleDialled(proven.result, proven.place);
    if (proven.result.peer !== id) return "another node there";
    for (;;) {
      const request = machine.request();
      const answer = await this.#ask(proven, request);
      if (typeof answer === "string") return answer;
      const page = decodeBulkPage(answer, request.bytesMax);
      if (page instanceof DecodeError) {
        counters.count(page.reason);
        return "page malformed";
      }
      if (page.state === "busy") return "busy";
      const keys = (await Promise.all(page.records.map(recordKeyOf)))
        .flatMap((key) => key instanceof DecodeError ? [] : [key]);
      if (keys.length < page.records.length) return "record malformed";
      const lie = machine.judge(keys);
      if (lie !== undefined) return lie;
      const admitted = page.records.filter((_, i) => this.#admits(keys[i]));
      const { taken, isForged } = await owner.takePage(admitted);
      this.#taken += taken;
      counters.count("bulk: page taken");
      if (isForged) return "record forged";
      const shed = page.records.length - admitted.length;
      if (shed > 0) {
        counters.count(shedReasons.newAuthors, shed);
        return "over the ration";
      }
      const next = machine.handlePage(page.state, keys.at(-1), this.#now());
      if (next !== "ask on") return next;
    }
  }

  #admits(key: RecordKey | undefined): boolean {
    const { owner, newAuthors } = this.#options;
    if (key === undefined) return false;
    return owner.isKnown(recordKeyAuthor(key)) || newAuthors.take(this.#now());
  }

  async #ask(
    proven: ProvenConnection,
    request: BulkRequest,
  ): Promise<Bytes | "refused" | "broken off"> {
    try {
      const body = encodeBulkRequest(request);
      return await this.#within(
        bulkPageWait,
        (signal) => proven.askRecords(body, signal, request.bytesMax),
      ) ?? "refused";
    } catch {
      // Closed, silent or too long: the machine only needs to know that this neighbour is done.
      return "broken off";
    }
  }

  /** Does the work with a signal that aborts after `limit` or when the node stops. */
  async #within<T>(limit: Duration, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, stopping } = this.#options;
    const over = new AbortController();
    const done = new AbortController();
    const either = AbortSignal.any([done.signal, stopping]);
    const timer = clock.wait(later(clock.monotonic(), limit), either).then(() => over.abort());
    try {
      return await work(over.signal);
    } finally {
      done.abort();
      await timer;
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#machine.nextTimeout();
  }

  handleTimeout(now: Instant): void {
    this.#perform(this.#machine.handleTimeout(now));
  }
}
