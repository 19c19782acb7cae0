/**
 * When to beacon on one interface: a burst at start and when the interface changes, then Trickle.
 * A beacon from this node's island is consistent; a different island seen twice some seconds apart,
 * or a solicitation, is inconsistent. Also keeps count of the audience, the nodes that hear what
 * this one hears.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Duration, earliest, elapsed, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import {
  audienceFor,
  audienceMax,
  burstGap,
  burstOffsets,
  islandConfirmation,
  islandMemory,
  resetGapMax,
  resetGapMin,
  strangersFor,
  trickleDoublings,
  trickleMin,
  trickleRedundancy,
} from "./limits.ts";
import { Trickle } from "./trickle.ts";

/** What an interface shows of itself. */
export interface AnnouncerSnapshot {
  readonly intervalMs: number;
  readonly sent: number;
  readonly suppressed: number;
  readonly resets: number;
  readonly audience: number;
}

/** The beacons of one interface. */
export class Announcer {
  readonly #prng: Prng;
  #trickle: Trickle;
  #burst: Instant[] = [];
  #burstAt: Instant | undefined;
  /** Ids counted as consistent in this interval: a node beacons over IPv6 and IPv4, and counts once. */
  readonly #consistent = new Set<NodeId>();
  #differentSince: Instant | undefined;
  #resetAt: Instant | undefined;
  #resetGap: Duration = resetGapMin;
  /** No link came since the last reset. */
  #barren = false;
  readonly #audience = new BoundedMap<NodeId, Instant>(audienceMax);
  readonly #strangers = new BoundedMap<NodeId, Instant>(audienceMax);
  #sent = 0;
  #suppressed = 0;
  #resets = 0;

  constructor(prng: Prng, now: Instant) {
    this.#prng = prng;
    this.#trickle = this.#newTrickle(now);
    this.handleChanged(now);
  }

  #newTrickle(now: Instant): Trickle {
    const options = {
      min: trickleMin,
      doublings: trickleDoublings,
      redundancy: trickleRedundancy,
    };
    return new Trickle(options, this.#prng, now);
  }

  /** The interface is new or its addresses changed: burst, then Trickle from Imin. */
  handleChanged(now: Instant): void {
    const start = this.#burstAt === undefined || now >= later(this.#burstAt, burstGap)
      ? now
      : later(this.#burstAt, burstGap);
    this.#burstAt = start;
    this.#burst = burstOffsets.map((offset) => later(start, offset));
    this.#trickle = this.#newTrickle(start);
    this.#consistent.clear();
    this.#differentSince = undefined;
    this.#barren = false;
    this.#resetGap = resetGapMin;
  }

  /** A beacon from the same island, without solicitation. */
  handleConsistent(id: NodeId): void {
    if (this.#consistent.size >= trickleRedundancy || this.#consistent.has(id)) return;
    this.#consistent.add(id);
    this.#trickle.handleConsistent();
  }

  /**
   * A beacon from another island. One alone may be a change that still spreads: it is answered, and
   * only a second one long enough after is worth beaconing at. Returns whether it is to be answered.
   */
  handleDifferent(now: Instant): boolean {
    const since = this.#differentSince;
    if (since === undefined || elapsed(since, now) > islandMemory) {
      this.#differentSince = now;
      return true;
    }
    if (elapsed(since, now) < islandConfirmation) return false;
    this.handleInconsistent(now);
    this.#differentSince = now;
    return true;
  }

  /** A solicitation, a confirmed other island, or the loss of this node's last link. */
  handleInconsistent(now: Instant): void {
    if (this.#resetAt !== undefined && elapsed(this.#resetAt, now) < this.#resetGap) return;
    if (!this.#trickle.handleInconsistent(now)) return;
    if (this.#barren) {
      this.#resetGap = scaled(this.#resetGap, 2);
      if (this.#resetGap > resetGapMax) this.#resetGap = resetGapMax;
    }
    this.#barren = true;
    this.#resetAt = now;
    this.#resets++;
    this.#differentSince = undefined;
    this.#consistent.clear();
  }

  /** A link came: resets are worth their traffic again. */
  handleLinked(): void {
    this.#barren = false;
    this.#resetGap = resetGapMin;
  }

  /** A node was heard here: one of which there is a stored record, or a stranger. */
  handleAudience(id: NodeId, held: boolean, now: Instant): void {
    (held ? this.#audience : this.#strangers).set(id, now);
    if (held) this.#strangers.delete(id);
  }

  /** There is a record of the node now: if it was heard here it is no stranger any more. */
  handleKnown(id: NodeId): void {
    const heardAt = this.#strangers.get(id);
    if (heardAt === undefined) return;
    this.#strangers.delete(id);
    this.#audience.set(id, heardAt);
  }

  /** How many nodes with a stored record were heard lately. */
  audience(now: Instant): number {
    return countSince(this.#audience, audienceFor, now);
  }

  /** How many others were: anybody can make these up. */
  strangers(now: Instant): number {
    return countSince(this.#strangers, strangersFor, now);
  }

  /**
   * Whether a beacon goes out now.
   *
   * @param lonely This node has no link: nobody else's beacon says what its own would, so it is not
   * suppressed.
   */
  handleTimeout(lonely: boolean, now: Instant): boolean {
    let beacon = false;
    // A machine that slept owes one beacon, not three.
    while (this.#burst[0] !== undefined && now >= this.#burst[0]) {
      this.#burst.shift();
      beacon = true;
    }
    while (now >= this.#trickle.nextTimeout()) {
      const decision = this.#trickle.handleTimeout(now);
      if (decision === "transmit" || (decision === "suppressed" && lonely)) beacon = true;
      else if (decision === "suppressed") this.#suppressed++;
      else this.#consistent.clear();
    }
    if (beacon) this.#sent++;
    return beacon;
  }

  /** The next moment to look. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#burst[0], this.#trickle.nextTimeout());
  }

  /** For status. */
  snapshot(now: Instant): AnnouncerSnapshot {
    return {
      intervalMs: this.#trickle.interval,
      sent: this.#sent,
      suppressed: this.#suppressed,
      resets: this.#resets,
      audience: this.audience(now),
    };
  }
}

/** Those heard so lately; the others are removed, which were heard first and stand first. */
function countSince(heard: BoundedMap<NodeId, Instant>, since: Duration, now: Instant): number {
  for (const [id, at] of heard.entries()) {
    if (elapsed(at, now) <= since) break;
    heard.delete(id);
  }
  return heard.size;
}
