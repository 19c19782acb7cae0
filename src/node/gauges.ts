/**
 * How much a node holds of everything that is bounded, and how often what went wrong in its parts:
 * for metrics, and for tests that nothing grows and that no bound is passed.
 *
 * @module
 */
import type { NodeParts } from "./node_parts.ts";

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

/** How much of everything bounded is held now. */
export function gaugesOf(parts: NodeParts): Gauges {
  const { archive, asker, background, discovery, dispatch, gossip, grants, links, peers } = parts;
  const { records, authors, tombstones, flagged } = archive.store.snapshot();
  return {
    links: peers.linkCount,
    peersWithoutLink: peers.otherCount,
    granted: grants.size,
    records,
    authors,
    tombstones,
    flaggedAuthors: flagged,
    requests: asker.waiting,
    datagrams: dispatch.underWay,
    ...links.underWay,
    ...gossip.underWay,
    strangers: discovery.snapshot(parts.outside.clock.monotonic()).strangers,
    background: background.size,
  };
}

/** How often what was dropped, refused or found odd, by reason, in all parts of the node. */
export function countsOf(parts: NodeParts): Readonly<Record<string, number>> {
  const { archive, counters, discovery, gossip, links, outside: { clock } } = parts;
  const all = new Map<string, number>();
  for (
    const counts of [
      counters.snapshot(),
      links.counts,
      gossip.counts,
      archive.store.snapshot().refused,
      discovery.snapshot(clock.monotonic()).counts,
    ]
  ) {
    for (const [reason, times] of Object.entries(counts)) {
      all.set(reason, (all.get(reason) ?? 0) + times);
    }
  }
  return Object.fromEntries(all);
}
