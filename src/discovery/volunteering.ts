/**
 * Who of many hearers with links enough answers a newcomer: each by lot, so that about three do.
 * A hearer estimates the audience as the geometric mean of the nodes it heard here in the last hour
 * (too few: Trickle silences most) and of all it knows (too many: most live elsewhere). A newcomer
 * solicits three times within half a second, which is one draw: on a machine so busy that no answer
 * comes in time, three draws would have nearly all answer. One newcomer in twenty draws nobody and
 * solicits again within two seconds; each repetition makes the odds twice as good, so the errors of
 * the estimate are made good as well. Only ids with stored records count as audience: made-up ones
 * cannot talk the hearers out of answering.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { elapsed, type Instant } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import {
  solicitationMemory,
  solicitationTwin,
  solicitorsMax,
  volunteerGrowth,
  volunteers,
} from "./limits.ts";

interface Solicitor {
  readonly times: number;
  readonly at: Instant;
  readonly drawn: boolean;
}

/** The lots. */
export class Volunteering {
  readonly #prng: Prng;
  readonly #solicitors = new BoundedMap<NodeId, Solicitor>(solicitorsMax);

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /**
   * Draws for a solicitation.
   *
   * @param audience Nodes heard lately on the interface.
   * @param held Nodes known in all.
   */
  draw(id: NodeId, audience: number, held: number, now: Instant): boolean {
    const before = this.#solicitors.get(id);
    const recent = before !== undefined && elapsed(before.at, now) <= solicitationMemory;
    // The twin over the other IP version is the same solicitation and gets the same answer.
    if (recent && elapsed(before.at, now) < solicitationTwin) return before.drawn;
    const times = recent ? before.times + 1 : 1;
    const odds = oddsOf(audience, held) * volunteerGrowth ** (times - 1);
    const drawn = this.#prng.unit() < odds;
    this.#solicitors.set(id, { times, at: now, drawn });
    return drawn;
  }

  /** Draws for a beacon from another island. */
  drawOnce(audience: number, held: number): boolean {
    return this.#prng.unit() < oddsOf(audience, held);
  }
}

function oddsOf(audience: number, held: number): number {
  const heard = Math.max(1, audience);
  return volunteers / Math.sqrt(heard * Math.max(heard, held));
}
