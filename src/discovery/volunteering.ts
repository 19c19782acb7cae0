/**
 * Who of many hearers with links enough answers a newcomer: each by lot, so that about three do.
 * A hearer estimates the audience as the geometric mean of the nodes it heard here in the last hour
 * (too few: Trickle silences most) and of all it knows (too many: most live elsewhere). A newcomer
 * solicits three times within half a second, which is one draw: on a machine so busy that no answer
 * comes in time, three draws would have nearly all answer. One newcomer in twenty draws nobody and
 * solicits again within two seconds; each repetition makes the odds twice as good, so the errors of
 * the estimate are made good as well.
 *
 * While a network forms most of the audience are strangers, of whom there is no record yet. They
 * count the first time that a newcomer solicits, and never again: made-up ids can make it solicit
 * twice, but not talk the hearers out of answering.
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

/** Who hears what a hearer hears, as far as it knows. */
export interface Audience {
  /** Nodes with a stored record that were heard lately on the interface. */
  readonly heard: number;
  /** Others that were. */
  readonly strangers: number;
  /** Nodes known in all. */
  readonly held: number;
}

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

  /** Draws for a solicitation. */
  draw(id: NodeId, audience: Audience, now: Instant): boolean {
    const before = this.#solicitors.get(id);
    const recent = before !== undefined && elapsed(before.at, now) <= solicitationMemory;
    // The twin over the other IP version is the same solicitation and gets the same answer.
    if (recent && elapsed(before.at, now) < solicitationTwin) return before.drawn;
    const times = recent ? before.times + 1 : 1;
    const { heard, strangers, held } = audience;
    const odds = times === 1
      ? oddsOf(heard + strangers, held)
      : oddsOf(heard, held) * volunteerGrowth ** (times - 1);
    const drawn = this.#prng.unit() < odds;
    this.#solicitors.set(id, { times, at: now, drawn });
    return drawn;
  }

  /** Draws for another island. */
  drawOnce({ heard, held }: Audience): boolean {
    return this.#prng.unit() < oddsOf(heard, held);
  }
}

function oddsOf(heard: number, held: number): number {
  const atLeast = Math.max(1, heard);
  return volunteers / Math.sqrt(atLeast * Math.max(atLeast, held));
}
