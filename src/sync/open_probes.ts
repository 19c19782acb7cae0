/**
 * The probes of one link that nobody has answered yet, and what they say about its loss.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { type Duration, type Instant, later } from "../base/instant.ts";
import { outstandingProbesMax } from "./limits.ts";
import { LossEstimate } from "./link_quality.ts";

interface OpenProbe {
  readonly sentAt: Instant;
  /** Whether it no longer matters to the loss: already counted as lost, or forgiven. */
  settled: boolean;
}

/** The probes, by the number of their attempt. */
export class OpenProbes {
  readonly loss = new LossEstimate();
  readonly #probes = new BoundedMap<number, OpenProbe>(outstandingProbesMax);
  #nextAttempt = 1;

  /** One is sent: the number of its attempt. */
  begin(now: Instant): number {
    const attempt = this.#nextAttempt;
    this.#nextAttempt += 1;
    this.#probes.set(attempt, { sentAt: now, settled: false });
    return attempt;
  }

  /** The one of this number is answered: no longer open. `undefined` if there was none. */
  take(attempt: number): Readonly<OpenProbe> | undefined {
    const probe = this.#probes.get(attempt);
    this.#probes.delete(attempt);
    return probe;
  }

  /** Counts as lost what waited for `patience` or longer; returns how many. */
  expire(patience: Duration, now: Instant): number {
    let lost = 0;
    for (const probe of this.#probes.values()) {
      if (probe.settled || later(probe.sentAt, patience) > now) continue;
      probe.settled = true;
      this.loss.sample(true);
      lost += 1;
    }
    return lost;
  }

  /** Forgives all that waits: it is never counted as lost. Returns how many there were. */
  forgive(): number {
    let forgiven = 0;
    for (const probe of this.#probes.values()) {
      if (probe.settled) continue;
      probe.settled = true;
      forgiven += 1;
    }
    return forgiven;
  }
}
