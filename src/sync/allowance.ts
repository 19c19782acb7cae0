/**
 * Time that a process which runs late gives others beyond the usual: its lateness is not their fault.
 *
 * @module
 */
import { type Duration, type Instant, later, milliseconds } from "../base/instant.ts";
import { lateAfter } from "./limits.ts";

/** How much longer than usual an answer may take at `now`, for this process runs late. */
export type Allowance = (now: Instant) => Duration;

/** Where nobody measures how late this process runs. */
export const noAllowance: Allowance = () => milliseconds(0);

/** How long to wait at `now`, where `usual` is enough as long as this process does not run late. */
export function patience(usual: Duration, allowance: Allowance, now: Instant): Duration {
  return milliseconds(usual + allowance(now));
}

/** When that wait is over. */
export function laterAllowing(now: Instant, usual: Duration, allowance: Allowance): Instant {
  return later(now, patience(usual, allowance, now));
}

/** Whether this process runs so late that it had better do less than it would otherwise. */
export function runsLate(allowance: Allowance, now: Instant): boolean {
  return allowance(now) > lateAfter;
}
