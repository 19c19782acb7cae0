/**
 * Requests that wait: finds what an answer or a who-are-you is for, and tells which waited in vain.
 * A machine, without keys: opening is `PeerKeys`'. PROTOCOL §5.
 *
 * An answer's tag and a who-are-you's nonce travel in the clear, so a match proves nothing: a waiting
 * request is only removed by `settle`, after its answer was opened, or by its deadline. A who-are-you
 * that echoes no waiting request is counted and ignored; one that does asks for an exchange with that
 * peer at most every 10 s.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { toHex } from "../base/bytes.ts";
import type { Counters } from "../base/counters.ts";
import { elapsed, type Instant } from "../base/instant.ts";
import type { AnswerDatagram, WhoAreYouDatagram } from "../wire/datagram.ts";
import {
  pendingRepliesMax,
  reauthenticateInterval,
  reauthenticatePeersMax,
  tellsRememberedMax,
} from "./limits.ts";
import type { PendingReply, SentTell } from "./peer_keys.ts";

/** A waiting request. */
export interface WaitingRequest<W> {
  readonly pending: PendingReply;
  /** Name of the peer asked, as whoever waits names it. */
  readonly peer: string;
  /** What the waiter wants to find again. */
  readonly waiting: W;
  readonly deadline: Instant;
}

/** A tell that went out. */
interface NotedTell<T> {
  readonly sent: SentTell;
  readonly peer: string;
  readonly waiting: T;
}

/** What a who-are-you means. */
export interface WhoAreYouEffect<T> {
  /** The request or tell that was not understood, or so somebody says; a request still waits. */
  readonly sent: Pick<SentTell, "nonce" | "grant">;
  /** What the waiter or teller wanted to find again. */
  readonly waiting: T;
  /** Whether to begin an exchange with the peer now; `false` if one was asked for within 10 s. */
  readonly authenticate: boolean;
}

/** All requests that wait, of all peers, and the last tells, of which `T` is what finds them again. */
export class PendingReplies<W extends T, T = W> {
  readonly #byTag = new Map<string, WaitingRequest<W>>();
  readonly #byNonce = new Map<string, WaitingRequest<W>>();
  readonly #tells = new BoundedMap<string, NotedTell<T>>(tellsRememberedMax);
  readonly #askedAt = new BoundedMap<string, Instant>(reauthenticatePeersMax);
  readonly #counters: Counters;
  /** No waiting request is due before; may be early, for settled ones are not looked for. */
  #earliest: Instant | undefined;

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** How many wait. */
  get size(): number {
    return this.#byTag.size;
  }

  /** Begins to wait. `false`, counted, if too many wait already: then do not send. */
  expect(pending: PendingReply, peer: string, waiting: W, deadline: Instant): boolean {
    if (this.#byTag.size >= pendingRepliesMax || this.#byTag.has(pending.replyTag)) {
      this.#counters.count("pending replies full");
      return false;
    }
    const request = { pending, peer, waiting, deadline };
    this.#byTag.set(pending.replyTag, request);
    this.#byNonce.set(pending.nonce, request);
    if (this.#earliest === undefined || deadline < this.#earliest) this.#earliest = deadline;
    return true;
  }

  /** A tell went out: nothing waits for it, but a who-are-you may come back. */
  noteTell(sent: SentTell, peer: string, waiting: T): void {
    this.#tells.set(sent.nonce, { sent, peer, waiting });
  }

  /** The request that an answer bears the tag of; it goes on waiting. Counted if there is none. */
  handleAnswer(answer: AnswerDatagram): WaitingRequest<W> | undefined {
    const request = this.#byTag.get(toHex(answer.replyTag));
    if (request === undefined) this.#counters.count("answer to nothing");
    return request;
  }

  /**
   * What a who-are-you means; `undefined`, counted, if it echoes neither a request that waits nor one
   * of the last tells.
   */
  handleWhoAreYou(whoAreYou: WhoAreYouDatagram, now: Instant): WhoAreYouEffect<T> | undefined {
    const nonce = toHex(whoAreYou.nonce);
    const found = this.#byNonce.get(nonce) ?? this.#tells.get(nonce);
    if (found === undefined) {
      this.#counters.count("who-are-you to nothing");
      return undefined;
    }
    const { peer, waiting } = found;
    const askedAt = this.#askedAt.get(peer);
    const authenticate = askedAt === undefined || elapsed(askedAt, now) >= reauthenticateInterval;
    if (authenticate) this.#askedAt.set(peer, now);
    return { sent: "pending" in found ? found.pending : found.sent, waiting, authenticate };
  }

  /** Ends the wait, once, after the answer was opened; `undefined` if it had ended already. */
  settle(pending: PendingReply): WaitingRequest<W> | undefined {
    const request = this.#byTag.get(pending.replyTag);
    if (request?.pending !== pending) return undefined;
    this.#remove(request);
    return request;
  }

  /** Ends all waits for a peer; returns them. */
  abandon(peer: string): WaitingRequest<W>[] {
    const ended = [...this.#byTag.values()].filter((request) => request.peer === peer);
    for (const request of ended) this.#remove(request);
    return ended;
  }

  /** When to call `handleTimeout`; may be early. */
  nextTimeout(): Instant | undefined {
    return this.#earliest;
  }

  /** Ends the waits whose deadline has come; returns them, the one sent first first. */
  handleTimeout(now: Instant): WaitingRequest<W>[] {
    if (this.#earliest === undefined || now < this.#earliest) return [];
    const overdue: WaitingRequest<W>[] = [];
    let earliest: Instant | undefined;
    for (const request of this.#byTag.values()) {
      if (request.deadline <= now) overdue.push(request);
      else if (earliest === undefined || request.deadline < earliest) earliest = request.deadline;
    }
    for (const request of overdue) this.#remove(request);
    this.#earliest = earliest;
    return overdue;
  }

  #remove(request: WaitingRequest<W>): void {
    this.#byTag.delete(request.pending.replyTag);
    this.#byNonce.delete(request.pending.nonce);
    if (this.#byTag.size === 0) this.#earliest = undefined;
  }
}
