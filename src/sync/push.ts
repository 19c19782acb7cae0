/**
 * Spreading changes: each is told to the links whose turn it is and that have not themselves shown it,
 * to a few with its body, to the others as an offer; and what others offer is pulled from the first
 * that did, then from the next. PROTOCOL §8.4.
 *
 * It loses what does not fit and what is lost on the way: reconciliation finds it later. Whether a
 * record is worth having is the store's word, not an offer's.
 *
 * @module
 */
import { Counters } from "../base/counters.ts";
import { earliest, type Instant, later, milliseconds } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Offer } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import { type Allowance, laterAllowing, noAllowance, runsLate } from "./allowance.ts";
import {
  coalesceDelay,
  latePullDelayMax,
  lateSpacing,
  offerDelay,
  offerersMax,
  ownBodyLinks,
  pullRetryDelay,
  pullsMax,
  pullsPerLinkMax,
  relayedBodyBytesMax,
  relayedBodyLinks,
  secondDelay,
} from "./limits.ts";
import { linkEnd, type LinkTurn, linkTurn } from "./link_turn.ts";
import type { OfferJudgement } from "./record_store.ts";
import { compareVersions, ToldLink, type Waiting } from "./told_link.ts";

/** What the node is to do. */
export type PushEffect =
  /** Offer these, ascending by key; `offerRequests` cuts them into datagrams. */
  | { readonly kind: "offer"; readonly to: NodeId; readonly offers: readonly Offer[] }
  /** Send these records with their bodies. */
  | { readonly kind: "push"; readonly to: NodeId; readonly keys: readonly RecordKey[] }
  /** Ask for these records; what comes is admitted, then told by `handleChange`. */
  | { readonly kind: "fetch"; readonly from: NodeId; readonly keys: readonly RecordKey[] };

/** A record that is new in the store. */
export interface RecordChange {
  readonly offer: Offer;
  /** Bytes of the whole record. */
  readonly size: number;
  /** Told at once whatever was told before: lost links, revocations, what a person did. */
  readonly urgent: boolean;
  /** The link that it came from; left out for an own record. */
  readonly from?: NodeId;
  /**
   * Whether a comparison brought it. Then it may be old and known to everybody but this node, so it
   * is not told to links that are about to be compared with themselves.
   */
  readonly compared?: boolean;
}

export interface PushOptions {
  readonly self: NodeId;
  /** How many links the node says it has, if it says so. */
  readonly linksOf: (id: NodeId) => number | undefined;
  /** What the store says of an offer now. */
  readonly judge: (offer: Offer, now: Instant) => OfferJudgement;
  /** The offer of what is held under the key. */
  readonly held: (key: RecordKey) => Offer | undefined;
  /** For what others are to deliver or to show, while this process runs late; nothing by default. */
  readonly allowance?: Allowance;
  /** For the choice of links that get a body: those do not depend on the change alone. */
  readonly prng: Prng;
}

/** Counts, for status and metrics. */
export interface PushSnapshot {
  readonly links: number;
  readonly pending: number;
  readonly pulls: number;
  readonly counts: Readonly<Record<string, number>>;
}

interface Pull {
  readonly offer: Offer;
  /** Whether the one in front was asked; else the body may come unasked until `nextAt`. */
  readonly isAsked: boolean;
  /** Whoever was asked last is in front; behind are those to be asked next. */
  offerers: NodeId[];
  /** When the next one is asked. */
  readonly nextAt: Instant;
}

/** The machine. */
export class Push {
  readonly #options: PushOptions;
  readonly #links = new Map<NodeId, ToldLink>();
  /** In the order in which they are due. */
  readonly #pulls = new Map<RecordKey, Pull>();
  readonly #counters = new Counters();
  readonly #allowance: Allowance;
  #lastNextAt: Instant | undefined;

  constructor(options: PushOptions) {
    this.#options = options;
    this.#allowance = options.allowance ?? noAllowance;
  }

  /** A link has come; what is held already is reconciliation's matter. */
  handleLink(id: NodeId): void {
    if (this.#links.has(id)) return;
    this.#links.set(id, new ToldLink(linkEnd(this.#options.self, id)));
  }

  /** A comparison with the link ended equal, or a probe found both equal. */
  handleInStep(id: NodeId): void {
    const link = this.#links.get(id);
    if (link !== undefined) link.inStep = true;
  }

  /** A link has gone: nothing is told to it, and what it was asked for is asked from the next. */
  handleUnlink(id: NodeId, now: Instant): PushEffect[] {
    this.#links.delete(id);
    const orphaned: RecordKey[] = [];
    for (const [key, pull] of this.#pulls) {
      const asked = pull.isAsked && pull.offerers[0] === id;
      if (!asked) pull.offerers = pull.offerers.filter((offerer) => offerer !== id);
      else orphaned.push(key);
    }
    return this.#askNext(orphaned, now);
  }

  /** The store took in a record that is newer than what it held. */
  handleChange(change: RecordChange, now: Instant): PushEffect[] {
    const { offer, urgent, from, compared = false } = change;
    const pull = this.#pulls.get(offer.key);
    if (pull !== undefined && compareVersions(offer, pull.offer) >= 0) this.#endPull(offer.key);
    if (from !== undefined) this.#links.get(from)?.noteShown(offer);
    const listeners = [...this.#links].filter(([, link]) =>
      !link.hasShown(offer) && (!compared || link.inStep)
    );
    let bodies = this.#bodyLinks(change, now);
    const isLate = runsLate(this.#allowance, now);
    const order = this.#options.prng.shuffled(listeners);
    // Bodies that wait for the same link share its datagrams: there are fewer of those then.
    if (isLate) order.sort(([, a], [, b]) => b.bodies - a.bodies);
    for (const [to, link] of order) {
      // Nobody but the author can tell of what is new, so it waits for no one and leaves none out.
      const isFirst = from === undefined || (isLate && bodies > 0);
      const turn = isFirst ? "first" : this.#turn(to, link, offer);
      if (turn === "quiet") continue;
      const withBody = turn === "first" && bodies > 0;
      if (withBody) bodies--;
      const ready = withBody ? now : laterAllowing(now, offerDelay, this.#allowance);
      const readyAt = turn === "second" ? later(ready, secondDelay) : ready;
      const source = from === undefined ? {} : { source: from };
      this.#put(link, { offer, withBody, urgent, readyAt, ...source });
    }
    return this.#tell(now);
  }

  /** How many links get the body. */
  #bodyLinks({ size, urgent, from, compared }: RecordChange, now: Instant): number {
    if (from === undefined) return ownBodyLinks;
    const goesOn = urgent || size <= relayedBodyBytesMax || runsLate(this.#allowance, now);
    return compared !== true && goesOn ? relayedBodyLinks : 0;
  }

  #turn(id: NodeId, link: ToldLink, offer: Offer): LinkTurn {
    const theirs = this.#options.linksOf(id) ?? 0;
    return linkTurn(link.end, offer.hashPrefix, Math.min(theirs, this.#links.size));
  }

  #put(link: ToldLink, waiting: Waiting): void {
    const refused = link.put(waiting);
    if (refused !== undefined) this.#counters.count(refused);
  }

  #tell(now: Instant): PushEffect[] {
    const effects: PushEffect[] = [];
    // What a slow process tells less often costs itself and others less, and says as much.
    const spacing = milliseconds(coalesceDelay + lateSpacing * this.#allowance(now));
    for (const [to, link] of this.#links) {
      const telling = link.take(now, spacing);
      if (telling === undefined) continue;
      const { bodies, offers } = telling;
      if (bodies.length > 0) effects.push({ kind: "push", to, keys: bodies });
      if (offers.length > 0) effects.push({ kind: "offer", to, offers });
    }
    return effects;
  }

  /** A link sent a record that is held already, or a newer one. */
  handleShown(from: NodeId, offer: Offer): void {
    this.#links.get(from)?.noteShown(offer);
  }

  /** A link offered these. */
  handleOffers(from: NodeId, offers: readonly Offer[], now: Instant): PushEffect[] {
    const link = this.#links.get(from);
    if (link === undefined) {
      this.#counters.count("offer without a link");
      return [];
    }
    const ask: RecordKey[] = [];
    for (const offer of offers) {
      link.noteShown(offer);
      const judgement = this.#options.judge(offer, now);
      if (judgement === "wanted") {
        if (this.#want(from, link, offer, now)) ask.push(offer.key);
      } else if (judgement === "older") {
        const newer = this.#options.held(offer.key);
        if (newer !== undefined) {
          const readyAt = later(now, offerDelay);
          this.#put(link, { offer: newer, withBody: false, urgent: false, readyAt, source: from });
        }
      } else {
        this.#counters.count(judgement === "held" ? "offer of what is held" : "offer refused");
      }
    }
    return ask.length === 0 ? [] : [{ kind: "fetch", from, keys: ask }];
  }

  /** `from` answered without these records, or not at all, or with what was not admitted. */
  handleNotFetched(from: NodeId, keys: readonly RecordKey[], now: Instant): PushEffect[] {
    const failed = keys.filter((key) => {
      const pull = this.#pulls.get(key);
      return pull?.isAsked === true && pull.offerers[0] === from;
    });
    return this.#askNext(failed, now);
  }

  /** What is due at `now`. */
  handleTimeout(now: Instant): PushEffect[] {
    const late: RecordKey[] = [];
    for (const [key, pull] of this.#pulls) {
      if (pull.nextAt > now) break;
      late.push(key);
    }
    return [...this.#tell(now), ...this.#askNext(late, now)];
  }

  /** When `handleTimeout` wants to be called. */
  nextTimeout(): Instant | undefined {
    const [first] = this.#pulls.values();
    let next = first?.nextAt;
    for (const { due } of this.#links.values()) next = earliest(next, due);
    return next;
  }

  /** Counts, for status and metrics. */
  snapshot(): PushSnapshot {
    let pending = 0;
    for (const link of this.#links.values()) pending += link.size;
    return {
      links: this.#links.size,
      pending,
      pulls: this.#pulls.size,
      counts: this.#counters.snapshot(),
    };
  }

  /** Notes an offerer; whether it is to be asked now. */
  #want(from: NodeId, link: ToldLink, offer: Offer, now: Instant): boolean {
    const pull = this.#pulls.get(offer.key);
    const order = pull === undefined ? 1 : compareVersions(offer, pull.offer);
    if (pull !== undefined && order <= 0) {
      const useful = order === 0 && !pull.offerers.includes(from) &&
        pull.offerers.length < offerersMax;
      if (useful) pull.offerers.push(from);
      return false;
    }
    if (pull === undefined && this.#pulls.size >= pullsMax) {
      this.#counters.count("too many pulls");
      return false;
    }
    if (link.asked.size >= pullsPerLinkMax) {
      this.#counters.count("pulls over one neighbour's share");
      return false;
    }
    this.#endPull(offer.key);
    const isAsked = !runsLate(this.#allowance, now);
    const nextAt = isAsked ? this.#retryAt(now) : this.#inOrder(this.#lateAskAt(now));
    this.#beginPull({ offer, isAsked, offerers: [from], nextAt });
    return isAsked;
  }

  /** Who runs late gets most bodies unasked in that time, and asks for the rest at once. */
  #lateAskAt(now: Instant): Instant {
    return later(now, milliseconds(Math.min(latePullDelayMax, this.#allowance(now))));
  }

  /** When the next offerer is asked, if the one asked now has not delivered. */
  #retryAt(now: Instant): Instant {
    return this.#inOrder(laterAllowing(now, pullRetryDelay, this.#allowance));
  }

  /** Never before an earlier pull's, or those that are due would be found in no order. */
  #inOrder(at: Instant): Instant {
    if (this.#lastNextAt === undefined || at > this.#lastNextAt) this.#lastNextAt = at;
    return this.#lastNextAt;
  }

  #beginPull(pull: Pull): void {
    const { key } = pull.offer;
    this.#pulls.set(key, pull);
    const [asked] = pull.offerers;
    if (asked !== undefined) this.#links.get(asked)?.asked.add(key);
  }

  #endPull(key: RecordKey): void {
    const [asked] = this.#pulls.get(key)?.offerers ?? [];
    if (asked !== undefined) this.#links.get(asked)?.asked.delete(key);
    this.#pulls.delete(key);
  }

  /** Gives up on whoever was asked for these and asks the next, one effect per link. */
  #askNext(keys: readonly RecordKey[], now: Instant): PushEffect[] {
    const asks = new Map<NodeId, RecordKey[]>();
    for (const key of keys) {
      const pull = this.#pulls.get(key);
      if (pull === undefined) continue;
      this.#endPull(key);
      const [next, ...others] = pull.isAsked ? pull.offerers.slice(1) : pull.offerers;
      // A version that has arrived meanwhile by another way is no longer wanted.
      if (next === undefined || this.#options.judge(pull.offer, now) !== "wanted") {
        this.#counters.count(next === undefined ? "no offerer left" : "pull no longer wanted");
        continue;
      }
      const { offer } = pull;
      const nextAt = this.#retryAt(now);
      this.#beginPull({ offer, isAsked: true, offerers: [next, ...others], nextAt });
      const list = asks.get(next) ?? [];
      list.push(key);
      asks.set(next, list);
    }
    return [...asks].map(([from, list]) => ({ kind: "fetch", from, keys: list }));
  }
}
