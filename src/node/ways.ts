/**
 * The ways between this node and a peer: which socket leads there, through whom else it can be asked,
 * whether it may change its address, whether its machine may have one more link.
 *
 * @module
 */
import { type IpAddress, ipScope } from "../base/ip.ts";
import type { DatagramSocket } from "../platform/network.ts";
import type { InterfaceWatch } from "./interface_watch.ts";
import { admitsLink } from "./link_admission.ts";
import type { Links } from "./links.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { RecordReadings } from "./record_readings.ts";
import type { Sockets } from "./sockets.ts";

/** What the ways follow from. */
export interface WaysOptions {
  readonly sockets: Sockets;
  readonly peers: PeerTable;
  readonly readings: RecordReadings;
  readonly interfaces: InterfaceWatch;
  readonly links: () => Links;
}

/** Ways to peers. */
export class Ways {
  readonly #options: WaysOptions;

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  /** The socket from which the peer is reached. */
  socketTowards(peer: Peer): DatagramSocket | undefined {
    const { address, way } = peer;
    if (address === undefined) return undefined;
    const { sockets, interfaces } = this.#options;
    return sockets.towards(
      address,
      (local, remote) => interfaces.sharesNetwork(local, remote),
      way?.remote === address.ip ? way.local : undefined,
    );
  }

  /** A peer moves only where its old address has stopped answering; else two ways would alternate. */
  mayMove(peer: Peer): boolean {
    if (!peer.linked || peer.address === undefined) return true;
    // A link that only exchanges keep up has an address that answers no datagrams.
    const health = this.#options.links().healthOf(peer.id);
    return health?.state !== "steady" || health.via !== "udp" ||
      this.socketTowards(peer) === undefined;
  }

  /** Neighbours through whom the peer may be asked: those that name it, and answer themselves. */
  helpersFor(peer: Peer): Peer[] {
    const { peers, readings, links } = this.#options;
    return peers.links().filter((other) =>
      other !== peer && readings.neighboursOf(other.prefix)?.has(peer.prefix) === true &&
      links().healthOf(other.id)?.state === "steady"
    );
  }

  /** Whether an address translator stands between this node and the peer. */
  isTranslated(peer: Peer): boolean {
    const { seenAs } = peer;
    const local = this.socketTowards(peer)?.local;
    return seenAs !== undefined && local !== undefined &&
      (seenAs.ip !== local.ip || seenAs.port !== local.port);
  }

  /** Whether the peer may have a link. */
  admitsLink(peer: Peer): boolean {
    const { peers, readings } = this.#options;
    return admitsLink({
      from: this.#machineOf(peer),
      held: peers.links().map((held) => this.#machineOf(held)),
      peerLinks: readings.linksOf(peer.id)?.links.length,
    });
  }

  /** The address of the peer's machine; `undefined` if that is this one. */
  #machineOf({ address }: Peer): IpAddress | undefined {
    if (address === undefined || ipScope(address.ip) === "loopback") return undefined;
    return this.#options.interfaces.zoneOf(address.ip) === undefined ? address.ip : undefined;
  }
}
