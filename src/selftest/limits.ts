/**
 * Limits of the self test.
 *
 * @module
 */
import { seconds } from "../base/instant.ts";

/**
 * All checks together: a report must be out within 30 s even if a disk hangs. On an idle machine
 * they take a quarter of a second.
 */
export const selfTestTimeMax = seconds(25);
/** What a detail may say of an error that is not ours. */
export const detailLengthMax = 300;
