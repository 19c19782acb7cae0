/**
 * What the answers of one link say about it: how long they take (RFC 6298 §2) and how many never
 * come (two exponentially weighted means, a quick one to show and a slow one to rely on).
 *
 * @module
 */
import { type Duration, milliseconds } from "../base/instant.ts";
import {
  falseAlarmChance,
  missAfterMax,
  missAfterUnmeasured,
  probeTriesMax,
  probeTriesMin,
  remeasuringsMax,
  repeatAfterMin,
} from "./limits.ts";

/** RFC 6298 §2: gains of the smoothed round trip and of its variation, and the variation's weight. */
const roundTripGain = 1 / 8;
const variationGain = 1 / 4;
const variationWeight = 4;

/** So many samples the mean reaches back; before, the first one alone would be half of it. */
const settledSamples = 1 / roundTripGain;

/** Smoothed round-trip time and its mean deviation. */
export class RoundTripEstimate {
  #smoothed: Duration | undefined;
  #variation = 0;
  #samples = 0;
  #remeasurings = 0;

  /** Absent before the first sample. */
  get smoothed(): Duration | undefined {
    return this.#smoothed;
  }

  /**
   * Takes in one measured round trip. Links are proven while processes start and machines are busy:
   * an early sample that is half as long as the mean begins it anew, and a long one that this node's
   * own lateness may have made long is none.
   *
   * @param allowance What this node allows others now for running late.
   */
  sample(rtt: Duration, allowance = milliseconds(0)): void {
    if (rtt > repeatAfterMin && rtt <= allowance) return;
    this.#samples += 1;
    const isUnsettled = this.#samples <= settledSamples;
    if (this.#smoothed === undefined || (isUnsettled && rtt < this.#smoothed / 2)) {
      this.#smoothed = rtt;
      this.#variation = rtt / 2;
      return;
    }
    const deviation = Math.abs(this.#smoothed - rtt);
    this.#variation += (deviation - this.#variation) * variationGain;
    this.#smoothed = milliseconds(this.#smoothed + (rtt - this.#smoothed) * roundTripGain);
  }

  /**
   * Whether the link seems long, and is worth another sample soon; a few times. Where others watch it
   * the next one may be minutes away.
   */
  takeRemeasuring(): boolean {
    const seemsLong = this.patience(repeatAfterMin, missAfterMax) > missAfterUnmeasured;
    if (!seemsLong || this.#remeasurings >= remeasuringsMax) return false;
    this.#remeasurings += 1;
    return true;
  }

  /** How long an answer may take before it counts as missing, within the two limits. */
  patience(least: Duration, most: Duration): Duration {
    if (this.#smoothed === undefined) return least;
    const usual = this.#smoothed + variationWeight * this.#variation;
    return milliseconds(Math.min(most, Math.max(least, usual)));
  }
}

/** Memory of the mean that is shown: about sixteen probes. */
const recentGain = 1 / 16;
/** Memory of the mean that the number of tries rests on as well: about sixty-four probes. */
const usualGain = 1 / 64;

/** The part of probes that met no answer. */
export class LossEstimate {
  #recent = 0;
  #usual = 0;

  /** 0…1 over roughly the last sixteen probes. */
  get recent(): number {
    return this.#recent;
  }

  /** The worse of the recent and the long-term mean, 0…1. */
  get worst(): number {
    return Math.max(this.#recent, this.#usual);
  }

  /** Takes in one probe. */
  sample(lost: boolean): void {
    const value = lost ? 1 : 0;
    this.#recent += (value - this.#recent) * recentGain;
    this.#usual += (value - this.#usual) * usualGain;
  }
}

/**
 * How many unanswered tries in a row are needed until chance alone explains them only once in ten
 * million rounds, within the limits: 16 where 36 % of round trips fail (20 % loss each way).
 */
export function triesFor(loss: LossEstimate): number {
  const missing = loss.worst;
  if (missing <= 0) return probeTriesMin;
  if (missing >= 1) return probeTriesMax;
  const tries = Math.ceil(Math.log(falseAlarmChance) / Math.log(missing));
  return Math.min(probeTriesMax, Math.max(probeTriesMin, tries));
}

/** Fewer misses than this are a busy moment's. */
const hardlyLossy = 0.1;
/** The chance that tries made alone were only lost. */
const chanceAlone = 0.05;
/** A link that loses more is not told apart from a dead one by tries alone. */
const lossyMost = 0.9;

/**
 * How many tries a round makes alone before it asks in other ways as well: none where hardly anything
 * is lost; else so many that loss alone explains their silence once in twenty rounds. An exchange
 * costs fifty probes.
 */
export function triesAloneFor(loss: LossEstimate): number {
  const missing = loss.worst;
  if (missing < hardlyLossy) return 0;
  const tries = Math.ceil(Math.log(chanceAlone) / Math.log(Math.min(missing, lossyMost)));
  return Math.min(probeTriesMin - 1, tries);
}
