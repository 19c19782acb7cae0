/**
 * What this program is: the one place that says so. A build replaces these constants and
 * nothing else.
 *
 * @module
 */

/** The product's name in protocols, reports and on the command line. */
export const product = "mesh";
/** Semantic version, the same as in `deno.json`. */
export const productVersion = "0.1.0";
/** Release sequence number: later releases have higher ones; 0 = built from source, not a release. */
export const productSeq = 0;
/**
 * When it was built, Unix milliseconds; for a run from source, when this line was last touched. A
 * clock that shows an earlier time is wrong.
 */
export const productBuiltAt = 1_795_305_600_000;
