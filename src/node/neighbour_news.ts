/**
 * Whether it is this node that tells others of a new neighbour: one neighbour's word is enough.
 *
 * @module
 */
import { type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { FleetWatch } from "./fleet_watch.ts";
import type { PeerTable } from "./peer.ts";
import type { NeighbourNews } from "./publisher.ts";
import type { RecordReadings } from "./record_readings.ts";

/** What the judgement follows from. */
export interface NewsSources {
  readonly selfId: NodeId;
  readonly peers: Pick<PeerTable, "byPrefix">;
  readonly fleet: Pick<FleetWatch, "isReachedOtherwise">;
  readonly readings: Pick<RecordReadings, "linksOf">;
}

/** What is to be done about the new neighbour of that prefix, where others know of these links. */
export function judgeNews(
  prefix: NodeIdPrefixHex,
  told: ReadonlySet<NodeIdPrefixHex>,
  { selfId, peers, fleet, readings }: NewsSources,
): NeighbourNews {
  const peer = peers.byPrefix(prefix);
  if (peer?.linked !== true) return "gone";
  if (fleet.isReachedOtherwise(peer.id, (id) => told.has(prefixHexOf(id)))) return "reached";
  const listed = readings.linksOf(peer.id)?.links;
  if (listed === undefined) return "too early";
  const ownPrefix = prefixHexOf(selfId);
  // Where two islands meet neither end has named the other: one goes first.
  const isNamed = listed.some((link) => link.peer === ownPrefix);
  return isNamed || ownPrefix < prefix ? "to be told" : "too early";
}
