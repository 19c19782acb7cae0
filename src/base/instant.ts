/**
 * Time as types, so that a monotonic reading, a calendar time and a length of time cannot be mixed.
 * All three count milliseconds.
 *
 * @module
 */

declare const instantBrand: unique symbol;
declare const wallTimeBrand: unique symbol;
declare const durationBrand: unique symbol;

/** A reading of this process's monotonic clock, in milliseconds from an origin of its own. */
export type Instant = number & { readonly [instantBrand]: true };
/** A calendar time, in Unix milliseconds. May be wrong by decades; nothing but dates may rest on it. */
export type WallTime = number & { readonly [wallTimeBrand]: true };
/** A length of time in milliseconds. */
export type Duration = number & { readonly [durationBrand]: true };

/** A monotonic reading from plain milliseconds: for clocks and tests. */
export function instant(milliseconds: number): Instant {
  return milliseconds as Instant;
}

/** A calendar time from Unix milliseconds: for clocks, decoders and tests. */
export function wallTime(unixMilliseconds: number): WallTime {
  return unixMilliseconds as WallTime;
}

/** A length of time. */
export function milliseconds(count: number): Duration {
  return count as Duration;
}

/** A length of time. */
export function seconds(count: number): Duration {
  return milliseconds(count * 1_000);
}

/** A length of time. */
export function minutes(count: number): Duration {
  return seconds(count * 60);
}

/** A length of time. */
export function hours(count: number): Duration {
  return minutes(count * 60);
}

/** A length of time. */
export function days(count: number): Duration {
  return hours(count * 24);
}

/** The instant that lies `length` after `from` (before it, if negative). */
export function later(from: Instant, length: Duration): Instant {
  return instant(from + length);
}

/** The length of time from `from` to `to`. */
export function elapsed(from: Instant, to: Instant): Duration {
  return milliseconds(to - from);
}

/** `length` times `factor`. */
export function scaled(length: Duration, factor: number): Duration {
  return milliseconds(length * factor);
}

/** The earliest of the instants that are there. */
export function earliest(...instants: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const candidate of instants) {
    if (candidate !== undefined && (first === undefined || candidate < first)) first = candidate;
  }
  return first;
}

/** RFC 3339 in UTC with milliseconds, clamped to what a `Date` can hold. */
export function formatWallTime(time: WallTime): string {
  const limit = 8.64e15;
  return new Date(Math.min(limit, Math.max(-limit, Math.round(time)))).toISOString();
}
