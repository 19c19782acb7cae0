/**
 * All parts of one node. They are made floor upon floor: each floor is given those below, and calls
 * those above only once all are there.
 *
 * @module
 */
import { invariant } from "../base/invariant.ts";
import { type CommonParts, makeCommonParts } from "./common_parts.ts";
import { type LinkParts, makeLinkParts } from "./link_parts.ts";
import { makeNetworkParts, type NetworkParts, openBeaconMeans } from "./network_parts.ts";
import type { NodeOptions, NodeOutside } from "./node_options.ts";
import { Pump } from "./pump.ts";
import { Reactions } from "./reactions.ts";
import { makeRecordParts, type RecordParts } from "./record_parts.ts";

/** A node, taken apart. */
export interface NodeParts extends CommonParts, NetworkParts, RecordParts, LinkParts {
  readonly pump: Pump;
  readonly reactions: Reactions;
}

/** Makes all parts; nothing runs before the pump does. */
export async function makeParts(options: NodeOptions, outside: NodeOutside): Promise<NodeParts> {
  let all: NodeParts | undefined = undefined;
  const later = () => {
    invariant(all !== undefined, "no part calls another before all are made");
    return all;
  };
  const means = await openBeaconMeans(options, outside);
  const common = await makeCommonParts(options, outside, later);
  const network = makeNetworkParts(common, means, later);
  const records = makeRecordParts(common, network, later);
  const links = makeLinkParts(common, network, records, later);
  const pump = new Pump(outside.clock, [
    network.asker,
    links.links,
    records.gossip,
    records.bulk,
    records.publisher,
    links.finder,
    links.degree,
    records.fleet,
    links.roles,
    common.archive,
    network.interfaces,
  ], common.lateness);
  const parts = { ...common, ...network, ...records, ...links, pump };
  all = { ...parts, reactions: new Reactions(parts) };
  return all;
}
