/**
 * How many links a node strives for.
 *
 * @module
 */

/**
 * D = 8 + ½ · log₂ N, rounded: a node dials until it has this many links in total, whoever dialled.
 * With at least this many random links per node a fleet of N stays connected when a third of it
 * goes away, and paths stay at about log N / log D hops.
 *
 * @param fleetSize N, the nodes known, this one included.
 */
export function degreeFor(fleetSize: number): number {
  return Math.round(8 + Math.log2(Math.max(1, fleetSize)) / 2);
}
