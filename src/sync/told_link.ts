/**
 * What waits to be told on one link, and when it may go: the first changes after a quiet while go as
 * soon as they are ready, a stream of them once a second, the newest version of each. PROTOCOL §8.4.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { compareBytes } from "../base/bytes.ts";
import {
  type Duration,
  earliest,
  type Instant,
  later,
  milliseconds,
  scaled,
} from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { Offer } from "../wire/offer.ts";
import type { RecordKey } from "../wire/record_key.ts";
import {
  coalesceDelay,
  crowdedOffers,
  pendingOffersMax,
  pendingOffersPerSource,
  promptTells,
  shownVersionsMax,
} from "./limits.ts";
import type { LinkEnd } from "./link_turn.ts";

/** Positive if `a` is newer than `b`: higher serial, at equal serials the lower hash. */
export function compareVersions(a: Offer, b: Offer): number {
  return a.serial - b.serial || compareBytes(b.hashPrefix, a.hashPrefix);
}

/** One change that waits. */
export interface Waiting {
  readonly offer: Offer;
  /** With its body, or only by name. */
  readonly withBody: boolean;
  /** Goes when it is ready, however much was told before. */
  readonly urgent: boolean;
  readonly readyAt: Instant;
  /** The link it came from; left out for what is this node's own. */
  readonly source?: NodeId;
}

/** What is to go now. */
export interface Telling {
  /** By key. */
  readonly offers: readonly Offer[];
  readonly bodies: readonly RecordKey[];
}

/** One link's queue and what the link has itself shown. */
export class ToldLink {
  readonly end: LinkEnd;
  /** Whether one comparison with it has ended equal. */
  inStep = false;
  /** Records being fetched from it for their offers. */
  readonly asked = new Set<RecordKey>();
  readonly #waiting = new Map<RecordKey, Waiting>();
  #bodies = 0;
  readonly #bySource = new Map<NodeId, number>();
  readonly #shown = new BoundedMap<RecordKey, Offer>(shownVersionsMax);
  /** What was told so far is paid for by then, at one a second. */
  #paidAt: Instant | undefined;
  #due: Instant | undefined;

  constructor(end: LinkEnd) {
    this.end = end;
  }

  /** How many changes wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** How many of them go with their bodies. */
  get bodies(): number {
    return this.#bodies;
  }

  /** When `take` has something to give; may be early. */
  get due(): Instant | undefined {
    return this.#due;
  }

  /** The link has itself shown this version. */
  noteShown(offer: Offer): void {
    const shown = this.#shown.get(offer.key);
    if (shown === undefined || compareVersions(offer, shown) > 0) this.#shown.set(offer.key, offer);
    const waiting = this.#waiting.get(offer.key);
    if (waiting !== undefined && compareVersions(offer, waiting.offer) >= 0) this.#remove(waiting);
  }

  /** Whether the link has itself shown this version or a newer one. */
  hasShown(offer: Offer): boolean {
    const shown = this.#shown.get(offer.key);
    return shown !== undefined && compareVersions(offer, shown) <= 0;
  }

  /** Puts a change in the queue; why it did not fit, as a fixed phrase, if it did not. */
  put(change: Waiting): string | undefined {
    const { offer, source } = change;
    const older = this.#waiting.get(offer.key);
    if (older !== undefined && compareVersions(offer, older.offer) <= 0) return undefined;
    if (older === undefined) {
      if (this.size >= pendingOffersMax) return "too many offers pending";
      const share = source === undefined ? 0 : this.#bySource.get(source) ?? 0;
      if (this.size >= crowdedOffers && share >= pendingOffersPerSource) {
        return "offers over one neighbour's share";
      }
    } else {
      this.#remove(older);
    }
    // Newer versions in a row do not put one another off.
    const readyAt = older !== undefined && older.readyAt < change.readyAt
      ? older.readyAt
      : change.readyAt;
    const waiting = { ...change, readyAt };
    this.#waiting.set(offer.key, waiting);
    if (waiting.withBody) this.#bodies += 1;
    if (source !== undefined) this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
    this.#due = earliest(this.#due, this.#mayGoAt(waiting));
    return undefined;
  }

  #remove({ offer, source, withBody }: Waiting): void {
    this.#waiting.delete(offer.key);
    if (withBody) this.#bodies -= 1;
    if (this.#waiting.size === 0) this.#due = undefined;
    if (source === undefined) return;
    const left = (this.#bySource.get(source) ?? 0) - 1;
    if (left > 0) this.#bySource.set(source, left);
    else this.#bySource.delete(source);
  }

  #mayGoAt({ urgent, readyAt }: Waiting): Instant {
    if (urgent || this.#paidAt === undefined) return readyAt;
    const prompt = later(this.#paidAt, scaled(coalesceDelay, 1 - promptTells));
    return prompt > readyAt ? prompt : readyAt;
  }

  /**
   * What is to go at `now`; `undefined` if it is nothing.
   *
   * @param spacing How far apart a stream's tells are, `coalesceDelay` or more.
   */
  take(now: Instant, spacing: Duration = coalesceDelay): Telling | undefined {
    if (this.#due === undefined || this.#due > now) return undefined;
    const all = [...this.#waiting.values()];
    // What is ready travels with what must go: the datagram is paid for.
    const goes = all.some((one) => this.#mayGoAt(one) <= now)
      ? all.filter(({ readyAt }) => readyAt <= now)
      : [];
    for (const one of goes) this.#remove(one);
    if (goes.length > 0) {
      const paid = this.#paidAt === undefined || this.#paidAt < now ? now : this.#paidAt;
      const most = later(now, milliseconds(spacing + coalesceDelay * (promptTells - 1)));
      const next = later(paid, spacing);
      this.#paidAt = next < most ? next : most;
    }
    this.#due = undefined;
    for (const one of this.#waiting.values()) {
      this.#due = earliest(this.#due, this.#mayGoAt(one));
    }
    if (goes.length === 0) return undefined;
    goes.sort((a, b) => a.offer.key < b.offer.key ? -1 : 1);
    return {
      offers: goes.filter(({ withBody }) => !withBody).map(({ offer }) => offer),
      bodies: goes.filter(({ withBody }) => withBody).map(({ offer }) => offer.key),
    };
  }
}
