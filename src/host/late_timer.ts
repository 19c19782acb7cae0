/**
 * What a timer that fires late means for whoever was to be done by then.
 *
 * @module
 */
import { elapsed, type Instant } from "../base/instant.ts";
import { LATE_EXTENSIONS_MAX, LATE_TIMER } from "./limits.ts";

/**
 * Whether work whose time was over at `due` gets more: this machine noticed only now, so it did not
 * serve the work either, and it has not given more time too often.
 *
 * @param extensions How often it gave more time to the same work.
 */
export function givesMoreTime(due: Instant, extensions: number, now: Instant): boolean {
  return elapsed(due, now) >= LATE_TIMER && extensions < LATE_EXTENSIONS_MAX;
}
