/**
 * Letting links go of which there are more than needed. A fleet that starts together dials from both
 * ends and ends above its degree; every link above it costs an offer per change. PROTOCOL §8.6.
 *
 * Only a link that neither end needs is let go: both have more than the degree and some slack. Whom
 * to let go is drawn by lot, so that the neighbours of a well-connected node do not all leave it at
 * once, and seldom: each release changes two `links` records, which all nodes learn.
 *
 * @module
 */
import { type Duration, type Instant, later, milliseconds, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { releasePauseMin, releasePausePerNode, surplusSlack, volunteerLinksMax } from "./limits.ts";

/** A link as far as this decision needs it. */
export interface HeldLink {
  readonly id: NodeId;
  /** How many links its node lists; `undefined` while it lists none. */
  readonly listed: number | undefined;
}

/** What the decision rests on. */
export interface SurplusView {
  readonly links: readonly HeldLink[];
  /** D, the links striven for. */
  readonly degree: number;
  /** Nodes known, this one included. */
  readonly fleetSize: number;
  /** Whether this process runs late: then nothing is let go for thrift, for that too costs all. */
  readonly isLate: boolean;
}

/** The machine. */
export class LinkSurplus {
  readonly #prng: Prng;
  /** When the next link may be let go for thrift; set while there is a surplus. */
  #releaseAt: Instant | undefined;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /**
   * The link to let go now, if any; to be asked when a link has come and when a release is due. Above
   * the links that anybody gets, one place is freed at once: that of the best-connected neighbour
   * that can spare it.
   */
  handleTimeout(
    { links, degree, fleetSize, isLate }: SurplusView,
    now: Instant,
  ): NodeId | undefined {
    const enough = degree + surplusSlack;
    if (links.length <= enough) {
      this.#releaseAt = undefined;
      return undefined;
    }
    this.#releaseAt ??= later(now, this.#pause(fleetSize));
    const spare = links.filter(({ listed }) => listed !== undefined && listed > enough);
    if (links.length > volunteerLinksMax) return bestConnected(spare);
    if (now < this.#releaseAt) return undefined;
    this.#releaseAt = later(now, this.#pause(fleetSize));
    return isLate ? undefined : this.#prng.pick(spare)?.id;
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    return this.#releaseAt;
  }

  #pause(fleetSize: number): Duration {
    const pause = Math.max(releasePauseMin, releasePausePerNode * fleetSize);
    return scaled(milliseconds(pause), this.#prng.between(0.5, 1.5));
  }
}

function bestConnected(links: readonly HeldLink[]): NodeId | undefined {
  return links.toSorted((a, b) => (b.listed ?? 0) - (a.listed ?? 0))[0]?.id;
}
