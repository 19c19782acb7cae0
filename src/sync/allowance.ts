/**
 * Time that a slow process gives others beyond the usual: what takes it long takes nobody's fault.
 *
 * @module
 */
import { type Duration, type Instant, later, milliseconds } from "../base/instant.ts";

/** How much longer than usual an answer may take at `now`, for this process runs late. */
export type Allowance = (now: Instant) => Duration;

/** Where nobody measures how late this process runs. */
export const noAllowance: Allowance = () => milliseconds(0);

/** From `now` on after `usual`, and after what is allowed beyond. */
export function laterAllowing(now: Instant, usual: Duration, allowance: Allowance): Instant {
  return later(now, milliseconds(usual + allowance(now)));
}
