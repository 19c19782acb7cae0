/**
 * What a node may hold at most, from the limits of each folder.
 *
 * @module
 */
import type { Gauges } from "../../../src/node/gauges.ts";
import {
  inboxMax,
  lettingGoMax,
  linksMax,
  peersMax,
  provingMax,
} from "../../../src/node/limits.ts";
import { strangersMax } from "../../../src/discovery/limits.ts";
import { pendingRepliesMax } from "../../../src/session/limits.ts";
import {
  flaggedAuthorsMax,
  knownNodesMax,
  pendingOffersMax,
  pullsMax,
  tombstonesMax,
  unknownSelfKindsPerAuthorMax,
} from "../../../src/sync/limits.ts";

/** The self kinds that every program reads: `info` and `links`. */
const knownSelfKinds = 2;

function mostOf({ links, peersWithoutLink }: Gauges): Readonly<Record<keyof Gauges, number>> {
  return {
    links: linksMax,
    peersWithoutLink: peersMax,
    granted: peersMax,
    records: knownNodesMax * (knownSelfKinds + unknownSelfKindsPerAuthorMax),
    authors: knownNodesMax,
    tombstones: tombstonesMax,
    flaggedAuthors: flaggedAuthorsMax,
    requests: pendingRepliesMax,
    datagrams: inboxMax,
    // A link is proven anew as well, and takes no place among those that are not linked yet.
    proving: provingMax + links,
    lettingGo: lettingGoMax,
    pulls: pullsMax,
    offers: linksMax * pendingOffersMax,
    strangers: strangersMax,
    comparisons: links + peersWithoutLink,
    // What waits, waits for an answer, a datagram or a connection; some do it in two layers.
    background: 4 * (pendingRepliesMax + inboxMax),
  };
}

/** What is above its bound, in words. */
export function overfull(gauges: Gauges): string[] {
  return Object.entries(mostOf(gauges)).flatMap(([name, most]) => {
    const held = Object.entries(gauges).find(([one]) => one === name)?.[1] ?? 0;
    return held > most ? [`${held} ${name} where ${most} are the most`] : [];
  });
}
