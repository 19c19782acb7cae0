/**
 * The parts through which a node talks to others: sockets and interfaces, who asks and who answers,
 * exchanges.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import { IslandKey, openTag } from "../crypto/mod.ts";
import type { BeaconChannel, NetworkInterface } from "../platform/network.ts";
import { EpochKeys } from "../session/mod.ts";
import { formatSocketAddress } from "../wire/socket_address.ts";
import { Asker } from "./asker.ts";
import { Authenticator } from "./authenticator.ts";
import { BulkAnswers } from "./bulk_answers.ts";
import type { CommonParts } from "./common_parts.ts";
import { Dispatch } from "./dispatch.ts";
import type { Gossip } from "./gossip.ts";
import { Grants } from "./grants.ts";
import { InterfaceWatch } from "./interface_watch.ts";
import type { Links } from "./links.ts";
import type { NodeOptions, NodeOutside } from "./node_options.ts";
import type { Publisher } from "./publisher.ts";
import type { Pump } from "./pump.ts";
import { RelayedProbes } from "./relayed_probes.ts";
import { Sockets } from "./sockets.ts";
import { Ways } from "./ways.ts";

/** What beacons are sent and told apart by. */
export interface BeaconMeans {
  /** Absent with `--no-multicast`. */
  readonly beacons: BeaconChannel | undefined;
  readonly tag: Bytes;
  readonly islandKey: IslandKey;
}

/** Talking to others. */
export interface NetworkParts extends BeaconMeans {
  readonly sockets: Sockets;
  readonly interfaces: InterfaceWatch;
  readonly ways: Ways;
  readonly asker: Asker;
  readonly relayed: RelayedProbes;
  readonly grants: Grants;
  readonly dispatch: Dispatch;
  readonly authenticator: Authenticator;
}

/** What these parts call of those made later. */
export interface NetworkLater {
  readonly gossip: Gossip;
  readonly publisher: Publisher;
  readonly links: Links;
  readonly pump: Pump;
  readonly reactions: {
    /** These interfaces are served now, and it is another list than before. */
    handleInterfaces(served: readonly NetworkInterface[]): Promise<void>;
    /** Another look was taken at the interfaces, whatever it showed. */
    handleLook(): void;
  };
}

/** Opens what beacons need. */
export async function openBeaconMeans(
  { multicast }: NodeOptions,
  { network }: NodeOutside,
): Promise<BeaconMeans> {
  const [tag, islandKey] = await Promise.all([openTag(), IslandKey.open()]);
  return { tag, islandKey, beacons: multicast ? await network.openBeacons() : undefined };
}

/** Makes them; no socket is open before the first look at the interfaces. */
export function makeNetworkParts(
  common: CommonParts,
  means: BeaconMeans,
  later: () => NetworkLater,
): NetworkParts {
  const { options, background, counters, peers, readings, warnings, archive } = common;
  const { identity, leaf, bootNonce, port, host } = options;
  const { clock, entropy, network, dialer, log } = common.outside;
  const poke = () => later().pump.poke();
  const epochKeys = EpochKeys.create(entropy, identity.id, clock.monotonic());
  const grants = new Grants(clock, epochKeys, peers);
  const sockets = new Sockets(
    network,
    background,
    {
      handleDatagram: (datagram, socket) => dispatch.handleDatagram(datagram, socket),
      handleUnbound: (address, interfaceName, reason) =>
        log.info("Cannot serve {address} on {interfaceName}: {reason}", {
          address: formatSocketAddress(address),
          interfaceName,
          reason,
        }),
    },
    port,
    host,
  );
  const interfaces = new InterfaceWatch({
    clock,
    network,
    background,
    sockets,
    beacons: means.beacons,
    warnings,
    names: options.interfaceNames,
    owner: {
      handleInterfaces: (served) => later().reactions.handleInterfaces(served),
      handleLook: () => later().reactions.handleLook(),
    },
  });
  const ways = new Ways({ sockets, peers, readings, interfaces, links: () => later().links });
  const asker = new Asker(
    clock,
    counters,
    {
      socketTowards: (peer) => ways.socketTowards(peer),
      handleStranger: (peer) => later().links.handleStranger(peer),
    },
    common.lateness,
  );
  const relayed = new RelayedProbes({
    clock,
    counters,
    prng: common.prng,
    asker,
    peers,
    socketTowards: (peer) => ways.socketTowards(peer),
    helpersFor: (peer) => ways.helpersFor(peer),
  });
  const dispatch = new Dispatch(clock, counters, background, epochKeys, asker, common.lateness, {
    admits: (prefix) => grants.admits(prefix),
    peerOf: (prefix) => grants.peerOf(prefix),
    handleHeard: (peer, isFirst) => later().links.handleHeard(peer, isFirst),
    mayMove: (peer) => ways.mayMove(peer),
    answerProbe: (probe) => later().gossip.answerProbe(probe),
    answerCompare: (peer, compare, bytesMax) =>
      later().gossip.answerCompare(peer, compare, bytesMax),
    answerFetch: (keys, bytesMax) => later().gossip.answerFetch(keys, bytesMax),
    handleOffers: (peer, offers) => {
      later().gossip.handleOffers(peer, offers);
      poke();
    },
    handleUnread: (peer) => {
      later().gossip.handleUnread(peer);
      poke();
    },
    handlePushed: (peer, records) => later().gossip.handlePushed(peer, records),
    handleLeaving: (peer, nonce) => later().links.handleLeaving(peer, nonce),
    handleRestarting: (peer, nonce) => later().links.handleRestarting(peer, nonce),
    handleLetGo: (peer, hash) => later().links.handleLetGo(peer, hash),
    relay: (peer, request) => relayed.relay(peer, request),
    handleRelayed: (answer, bytes, from) => relayed.handleAnswer(answer, bytes, from),
  });
  const bulkAnswers = new BulkAnswers(clock, counters, archive.store);
  const authenticator = new Authenticator({
    self: { identity, leafHash: leaf.leafHash, bootNonce },
    clock,
    entropy,
    dialer,
    counters,
    owner: {
      ownInfo: () => {
        const { shownInfo } = later().publisher;
        invariant(shownInfo !== undefined, "a node has published its info before it is ready");
        return shownInfo.bytes;
      },
      grantFor: (id) => grants.grantFor(id),
      // An open mesh deals with near addresses, unless its owner opened it to all.
      admitsAddress: ({ ip }) => options.openToAll || interfaces.isNear(ip),
      handleAccepted: (result, place) => {
        later().links.handleProven(result, place);
        poke();
      },
      answerRecords: (id, request) => {
        const peer = peers.get(id);
        return peer && bulkAnswers.answer(peer, request);
      },
      handleOwnId: (nonce) => {
        later().publisher.handleOwnIdInExchange(nonce);
      },
    },
  });
  return { ...means, sockets, interfaces, ways, asker, relayed, grants, dispatch, authenticator };
}
