/**
 * How much a node holds of everything that is bounded: for metrics, and for tests that nothing grows
 * and that no bound is passed.
 *
 * @module
 */

/** Counts of what is held now; each has its bound in a `limits.ts`, but for the last two. */
export interface Gauges {
  readonly links: number;
  readonly peersWithoutLink: number;
  /** Prefixes of ids that were handed a grant and may talk to us. */
  readonly granted: number;
  readonly records: number;
  readonly authors: number;
  readonly tombstones: number;
  readonly flaggedAuthors: number;
  /** Requests that wait for an answer. */
  readonly requests: number;
  /** Datagrams being worked on. */
  readonly datagrams: number;
  /** Peers whose first round trip is tried. */
  readonly proving: number;
  /** Peers that are brought into step before they are let go. */
  readonly lettingGo: number;
  readonly pulls: number;
  /** Offers that wait to be told, of all links together. */
  readonly offers: number;
  /** Ids that beacons named, without a record. */
  readonly strangers: number;
  /** Reconciliations under way: one per peer at most. */
  readonly comparisons: number;
  /** Promises that nobody awaits on the spot. */
  readonly background: number;
}
