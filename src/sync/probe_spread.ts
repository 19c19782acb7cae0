/**
 * When links are probed, so that the probes of all with the same interval are spread evenly over it.
 * After DESYNC (Degesys et al., 2007).
 *
 * @module
 */
import { type Duration, type Instant, later, milliseconds, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
/** The regular probes of one link. */
export interface ProbeTimes {
  /** Own to every link: the few that this node watches are probed more often than the rest. */
  readonly interval: Duration;
  readonly lastProbe: Instant;
  readonly nextProbe: Instant;
}

/** The part of the distance to the middle of its neighbours that a probe moves per interval. */
const spreadGain = 0.75;
/** The most a probe moves per interval, as a part of the interval: intervals stay within ±10 %. */
const spreadStepMax = 0.1;

/**
 * When a link that is to be probed at `interval` from now on is probed first: in the middle of the
 * widest gap between the probes of that interval. By chance for the first of them, so that nodes
 * started together do not probe together.
 *
 * @param links All others.
 */
export function freePhase(
  links: Iterable<ProbeTimes>,
  interval: Duration,
  prng: Prng,
  now: Instant,
): Instant {
  const phases = Array.from(links)
    .filter((link) => link.interval === interval)
    .map((link) => (((link.nextProbe - now) % interval) + interval) % interval)
    .sort((a, b) => a - b);
  const first = phases[0];
  if (first === undefined) return later(now, scaled(interval, prng.between(0.5, 1)));
  let middle = 0;
  let widest = -1;
  for (const [i, phase] of phases.entries()) {
    const gap = (phases[i + 1] ?? first + interval) - phase;
    if (gap > widest) {
      widest = gap;
      middle = (phase + gap / 2) % interval;
    }
  }
  return later(now, milliseconds(middle));
}

/**
 * When the link that is probed now is probed next: one interval on, moved towards the middle between
 * the probes of the same interval before and after it.
 *
 * @param links All links; the one itself is passed over.
 */
export function followingProbe(
  link: ProbeTimes,
  links: Iterable<ProbeTimes>,
  now: Instant,
): Instant {
  let before: number | undefined;
  let after: number | undefined;
  for (const other of links) {
    if (other === link || other.interval !== link.interval) continue;
    before = Math.min(before ?? Infinity, now - other.lastProbe);
    after = Math.min(after ?? Infinity, Math.max(0, other.nextProbe - now));
  }
  if (before === undefined || after === undefined) return later(now, link.interval);
  const most = link.interval * spreadStepMax;
  const step = Math.max(-most, Math.min(most, spreadGain * (after - before) / 2));
  return later(now, milliseconds(link.interval + step));
}
