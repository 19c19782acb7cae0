/**
 * The parts that find other nodes and hold links with some of them.
 *
 * @module
 */
import { equalBytes } from "../base/bytes.ts";
import { Discovery, LinkSurplus } from "../discovery/mod.ts";
import { Monitor } from "../sync/mod.ts";
import type { CommonParts } from "./common_parts.ts";
import { DegreeKeeper } from "./degree_keeper.ts";
import { Finder } from "./finder.ts";
import { type LinkEnd, Links } from "./links.ts";
import type { NetworkParts } from "./network_parts.ts";
import type { Peer } from "./peer.ts";
import type { Pump } from "./pump.ts";
import type { RecordParts } from "./record_parts.ts";
import { WatchRoles } from "./watch_roles.ts";

/** Links at work. */
export interface LinkParts {
  readonly discovery: Discovery;
  readonly finder: Finder;
  readonly links: Links;
  readonly degree: DegreeKeeper;
  readonly roles: WatchRoles;
}

/** What these parts call of those made later. */
export interface LinkLater {
  readonly pump: Pump;
  readonly reactions: {
    /** Whether this node sends beacons. */
    readonly announces: boolean;
    handleLinkUp(peer: Peer): void;
    handleLinkDown(peer: Peer, why: LinkEnd): void;
  };
}

/** Makes them. */
export function makeLinkParts(
  common: CommonParts,
  network: NetworkParts,
  records: RecordParts,
  later: () => LinkLater,
): LinkParts {
  const { options, archive, background, counters, news, peers, prng, readings } = common;
  const { asker, authenticator, relayed, ways } = network;
  const { fleet, gossip, publisher } = records;
  const { identity, bootNonce, port } = options;
  const { clock, lookUpHost } = common.outside;
  const selfId = identity.id;
  const poke = () => later().pump.poke();

  const discovery = new Discovery({
    self: selfId,
    port,
    peers: options.peers,
    multicast: options.multicast,
    prng,
    known: {
      count: () => archive.store.authorCount,
      has: (id) => !common.forgotten.serials.has(id) && readings.infoRecordOf(id) !== undefined,
      addressesOf: (id) => readings.addressesOf(id),
      pick: (reachable, passes) => fleet.pick(reachable, prng, passes),
    },
  }, clock.monotonic());
  const finder = new Finder({
    selfId,
    port,
    clock,
    counters,
    background,
    discovery,
    lateness: common.lateness,
    beacons: network.beacons,
    tag: network.tag,
    islandKey: network.islandKey,
    authenticator,
    warnings: common.warnings,
    lookUpHost,
    stopping: common.stopping.signal,
    owner: {
      smallestReachable: () => fleet.smallestReachable,
      isReachable: (id) => fleet.reaches(id),
      handleDialled: ({ result, place }) => links.handleProven(result, place),
      handleOwnId: (nonce) => {
        publisher.handleOwnIdInExchange(nonce);
        return equalBytes(nonce, bootNonce);
      },
      announces: () => later().reactions.announces,
      poke,
    },
  });
  const links: Links = new Links({
    clock,
    counters,
    background,
    prng,
    monitor: new Monitor({ prng, allowance: (now) => common.lateness.allowance(now) }),
    peers,
    asker,
    gossip,
    relayed,
    owner: {
      dial: async (to, onConnected) => {
        const outcome = await finder.dial(to, onConnected);
        if (outcome.kind === "proven") links.handleProven(outcome.result, outcome.place);
        return outcome;
      },
      knock: (to) => finder.knock(to),
      listenPortOf: (id) => readings.listenPortOf(id),
      addressesOf: (id) => readings.dialAddressesOf(id),
      isLate: (now) => common.lateness.isLate(now),
      isTranslated: (peer) => ways.isTranslated(peer),
      admitsLink: (peer) => ways.admitsLink(peer),
      handleLinkUp: (peer) => later().reactions.handleLinkUp(peer),
      handleLinkDown: (peer, why) => later().reactions.handleLinkDown(peer, why),
      handleSuspect: (peer) => news.tellOfSuspicion("node-suspect", peer),
      handleAlive: (peer) => news.tellOfSuspicion("node-reachable", peer),
      poke,
    },
  });
  const degree = new DegreeKeeper({
    clock,
    surplus: new LinkSurplus(prng),
    peers,
    listedBy: (id) => readings.linksOf(id)?.links.length,
    fleet: () => discovery,
    isLate: (now) => common.lateness.isLate(now),
    release: (peer) => links.release(peer),
  });
  const roles = new WatchRoles(clock, selfId, {
    linked: () => peers.links(),
    neighboursOf: (prefix) => readings.neighboursOf(prefix),
    handleRole: (id, role) => {
      links.handleRole(id, role);
      poke();
    },
  });
  return { discovery, finder, links, degree, roles };
}
