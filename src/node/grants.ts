/**
 * Who may send this node sealed requests: its peers, and those who were handed a grant in an exchange
 * that is not finished yet.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import type { Clock } from "../platform/clock.ts";
import type { EpochKeys } from "../session/mod.ts";
import type { DatagramGrant } from "../wire/grant.ts";
import { type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { peersMax } from "./limits.ts";
import type { Peer, PeerTable } from "./peer.ts";

/** Hands out grants and knows whom by. */
export class Grants {
  readonly #clock: Clock;
  readonly #epochKeys: EpochKeys;
  readonly #peers: PeerTable;
  readonly #ids = new BoundedMap<NodeIdPrefixHex, NodeId>(peersMax);

  constructor(clock: Clock, epochKeys: EpochKeys, peers: PeerTable) {
    this.#clock = clock;
    this.#epochKeys = epochKeys;
    this.#peers = peers;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#ids.size;
  }

  /** What lets this id send sealed requests. */
  grantFor(id: NodeId): Promise<DatagramGrant> {
    this.#ids.set(prefixHexOf(id), id);
    return this.#epochKeys.grantFor(id, this.#clock.monotonic());
  }

  /** Whether the node whose id begins so (32 hexadecimal digits) may talk to us. */
  admits(prefix: NodeIdPrefixHex): boolean {
    return this.#ids.has(prefix) || this.#peers.byPrefix(prefix) !== undefined;
  }

  /** The peer of that prefix, opened if it is admitted and not yet held. */
  peerOf(prefix: NodeIdPrefixHex): Peer | undefined {
    const known = this.#peers.byPrefix(prefix);
    if (known !== undefined) return known;
    const id = this.#ids.get(prefix);
    return id === undefined ? undefined : this.#peers.open(id);
  }
}
