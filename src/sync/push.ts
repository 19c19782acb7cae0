/**
 * Spreading changes: each is offered to every link that has not itself shown it, and what others
 * offer is pulled from the first that did, then from the next. PROTOCOL §8.4.
 *
 * It loses what does not fit: reconciliation finds it later. Whether a record is worth having is the
 * store's word, not an offer's.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { compareBytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { earliest, type Instant, later } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Offer } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import {
  coalesceDelay,
  offerersMax,
  pendingOffersMax,
  pullRetryDelay,
  pullsMax,
  shownVersionsMax,
  urgentBodyLinks,
} from "./limits.ts";
import type { OfferJudgement } from "./record_store.ts";

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
  /** Told at once instead of together with others: lost links, revocations, what a person did. */
  readonly urgent: boolean;
  /** The link that it came from; left out for an own record. */
  readonly from?: NodeId;
}

export interface PushOptions {
  /** What the store says of an offer now. */
  readonly judge: (offer: Offer, now: Instant) => OfferJudgement;
  /** The offer of what is held under the key. */
  readonly held: (key: RecordKey) => Offer | undefined;
  /** For the choice of links that get a body. */
  readonly prng: Prng;
}

/** Counts, for status and metrics. */
export interface PushSnapshot {
  readonly links: number;
  readonly pending: number;
  readonly pulls: number;
  readonly counts: Readonly<Record<string, number>>;
}

interface LinkState {
  /** Newest offer per key that waits to be told. */
  readonly pending: Map<RecordKey, Offer>;
  /** When the waiting ones are told. */
  due: Instant | undefined;
  /** Newest version per key that this link has itself shown. */
  readonly shown: BoundedMap<RecordKey, Offer>;
}

interface Pull {
  offer: Offer;
  /** Whoever was asked last is in front; behind are those to be asked next. */
  offerers: NodeId[];
  /** When the next one is asked. */
  retryAt: Instant;
}

/** Positive if `a` is newer than `b`: higher serial, at equal serials the lower hash. */
function compareVersions(a: Offer, b: Offer): number {
  return a.serial - b.serial || compareBytes(b.hashPrefix, a.hashPrefix);
}

/** The machine. */
export class Push {
  readonly #options: PushOptions;
  readonly #links = new Map<NodeId, LinkState>();
  readonly #pulls = new Map<RecordKey, Pull>();
  readonly #counters = new Counters();

  constructor(options: PushOptions) {
    this.#options = options;
  }

  /** A link has come; what is held already is reconciliation's matter. */
  handleLink(id: NodeId): void {
    if (this.#links.has(id)) return;
    this.#links.set(id, {
      pending: new Map(),
      due: undefined,
      shown: new BoundedMap(shownVersionsMax),
    });
  }

  /** A link has gone: nothing is told to it, and what it was asked for is asked from the next. */
  handleUnlink(id: NodeId, now: Instant): PushEffect[] {
    this.#links.delete(id);
    const orphaned: RecordKey[] = [];
    for (const [key, pull] of this.#pulls) {
      const asked = pull.offerers[0] === id;
      if (!asked) pull.offerers = pull.offerers.filter((offerer) => offerer !== id);
      else orphaned.push(key);
    }
    return this.#askNext(orphaned, now);
  }

  /** The store took in a record that is newer than what it held. */
  handleChange(change: RecordChange, now: Instant): PushEffect[] {
    const { offer, urgent, from } = change;
    const pull = this.#pulls.get(offer.key);
    if (pull !== undefined && compareVersions(offer, pull.offer) >= 0) {
      this.#pulls.delete(offer.key);
    }
    if (from !== undefined) this.#noteShown(from, offer);
    const listeners = [...this.#links].filter(([, link]) => {
      const shown = link.shown.get(offer.key);
      return shown === undefined || compareVersions(offer, shown) > 0;
    });
    if (!urgent) {
      for (const [, link] of listeners) this.#enqueue(link, offer, now);
      return [];
    }
    const effects: PushEffect[] = [];
    for (const [i, [to, link]] of this.#options.prng.shuffled(listeners).entries()) {
      link.pending.delete(offer.key);
      if (link.pending.size === 0) link.due = undefined;
      effects.push(
        i < urgentBodyLinks
          ? { kind: "push", to, keys: [offer.key] }
          : { kind: "offer", to, offers: [offer] },
      );
    }
    return effects;
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
      this.#noteShown(from, offer);
      const judgement = this.#options.judge(offer, now);
      if (judgement === "wanted") {
        if (this.#want(from, offer, now)) ask.push(offer.key);
      } else if (judgement === "older") {
        const newer = this.#options.held(offer.key);
        if (newer !== undefined) this.#enqueue(link, newer, now);
      } else {
        this.#counters.count(judgement === "held" ? "offer of what is held" : "offer refused");
      }
    }
    return ask.length === 0 ? [] : [{ kind: "fetch", from, keys: ask }];
  }

  /** `from` answered without these records, or not at all, or with what was not admitted. */
  handleNotFetched(from: NodeId, keys: readonly RecordKey[], now: Instant): PushEffect[] {
    return this.#askNext(keys.filter((key) => this.#pulls.get(key)?.offerers[0] === from), now);
  }

  /** What is due at `now`. */
  handleTimeout(now: Instant): PushEffect[] {
    const effects: PushEffect[] = [];
    for (const [to, link] of this.#links) {
      if (link.due === undefined || link.due > now) continue;
      const offers = [...link.pending.values()].sort((a, b) => a.key < b.key ? -1 : 1);
      link.pending.clear();
      link.due = undefined;
      effects.push({ kind: "offer", to, offers });
    }
    const late = [...this.#pulls].filter(([, pull]) => pull.retryAt <= now).map(([key]) => key);
    effects.push(...this.#askNext(late, now));
    return effects;
  }

  /** When `handleTimeout` wants to be called. */
  nextTimeout(): Instant | undefined {
    let next: Instant | undefined;
    for (const link of this.#links.values()) next = earliest(next, link.due);
    for (const pull of this.#pulls.values()) next = earliest(next, pull.retryAt);
    return next;
  }

  /** Counts, for status and metrics. */
  snapshot(): PushSnapshot {
    let pending = 0;
    for (const link of this.#links.values()) pending += link.pending.size;
    return {
      links: this.#links.size,
      pending,
      pulls: this.#pulls.size,
      counts: this.#counters.snapshot(),
    };
  }

  #noteShown(id: NodeId, offer: Offer): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    const shown = link.shown.get(offer.key);
    if (shown === undefined || compareVersions(offer, shown) > 0) link.shown.set(offer.key, offer);
    const pending = link.pending.get(offer.key);
    if (pending === undefined || compareVersions(offer, pending) < 0) return;
    link.pending.delete(offer.key);
    if (link.pending.size === 0) link.due = undefined;
  }

  #enqueue(link: LinkState, offer: Offer, now: Instant): void {
    const waiting = link.pending.get(offer.key);
    if (waiting === undefined && link.pending.size >= pendingOffersMax) {
      this.#counters.count("too many offers pending");
      return;
    }
    if (waiting !== undefined && compareVersions(offer, waiting) <= 0) return;
    link.pending.set(offer.key, offer);
    link.due ??= later(now, coalesceDelay);
  }

  /** Notes an offerer; whether it is to be asked now. */
  #want(from: NodeId, offer: Offer, now: Instant): boolean {
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
    this.#pulls.set(offer.key, { offer, offerers: [from], retryAt: later(now, pullRetryDelay) });
    return true;
  }

  /** Gives up on whoever was asked for these and asks the next, one effect per link. */
  #askNext(keys: readonly RecordKey[], now: Instant): PushEffect[] {
    const asks = new Map<NodeId, RecordKey[]>();
    for (const key of keys) {
      const pull = this.#pulls.get(key);
      if (pull === undefined) continue;
      pull.offerers.shift();
      const next = pull.offerers[0];
      // A version that has arrived meanwhile by another way is no longer wanted.
      if (next === undefined || this.#options.judge(pull.offer, now) !== "wanted") {
        this.#pulls.delete(key);
        this.#counters.count(next === undefined ? "no offerer left" : "pull no longer wanted");
        continue;
      }
      pull.retryAt = later(now, pullRetryDelay);
      const list = asks.get(next) ?? [];
      list.push(key);
      asks.set(next, list);
    }
    return [...asks].map(([from, list]) => ({ kind: "fetch", from, keys: list }));
  }
}
