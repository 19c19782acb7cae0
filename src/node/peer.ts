/**
 * Those with whom this node has finished an exchange: what it holds to talk to them, where they
 * are, and whether there is a link. A link is a proven pair: an exchange and one sealed round trip.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import type { Bytes } from "../base/bytes.ts";
import type { WallTime } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import type { Entropy } from "../platform/entropy.ts";
import { PeerKeys } from "../session/mod.ts";
import { prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import {
  bulkPagesBurst,
  bulkPagesRate,
  newAuthorsBurst,
  newAuthorsRate,
  peersMax,
} from "./limits.ts";
import { WorkBudget } from "./work_budget.ts";

/** One node that proved its key to this one. */
export class Peer {
  readonly id: NodeId;
  /** First 16 bytes of the id, in hexadecimal: how datagrams and `links` name it. */
  readonly prefix: string;
  /** What it gave us to talk to it with. */
  readonly keys: PeerKeys;
  /** What it may have us do. */
  readonly budget = new WorkBudget();
  /** How many authors never heard of it may bring. */
  readonly newAuthorsBudget = new WorkBudget(newAuthorsBurst, newAuthorsRate);
  /** How many pages of records it may ask for. */
  readonly pageBudget = new WorkBudget(bulkPagesBurst, bulkPagesRate);
  /** Where its datagrams come from and ours go to. */
  address: SocketAddress | undefined;
  /** Drawn at its last start that we know of. 16 bytes. */
  bootNonce: Bytes | undefined;
  /**
   * Names of the last exchange that this node dialled and of the last that the peer did, for a
   * let-go: where both dialled at once either end may name either. 32 bytes each.
   */
  readonly exchanges: { dialled?: Bytes; accepted?: Bytes } = {};
  /** Whether the current pair was proven by our dialling, by its dialling, or both. */
  dialled = false;
  accepted = false;
  /** When the last exchange was finished, by our calendar. */
  provenAt: WallTime | undefined;
  /** Its calendar less ours at that time, in milliseconds. */
  wallAheadMs: number | undefined;
  linked = false;
  /** Where this node's last dial of it finished an exchange. */
  dialledAt: SocketAddress | undefined;
  /** Between which addresses the last exchange went: the system's own choice of a way there. */
  way: { readonly local: IpAddress; readonly remote: IpAddress } | undefined;
  /** Where it saw this node's datagrams come from. */
  seenAs: SocketAddress | undefined;
  /** How long the round trip took that proved the link, in milliseconds. */
  provenRoundTripMs: number | undefined;

  constructor(id: NodeId, entropy: Entropy) {
    this.id = id;
    this.prefix = prefixHexOf(id);
    this.keys = new PeerKeys(entropy);
  }

  /** The exchange that a let-go of ours names, 32 bytes; `undefined` before the first. */
  get nameableExchange(): Bytes | undefined {
    return this.exchanges.accepted ?? this.exchanges.dialled;
  }

  /** Who dialled, seen from here. */
  get direction(): "out" | "in" | "both" {
    if (this.dialled && this.accepted) return "both";
    return this.dialled ? "out" : "in";
  }
}

/** All peers, the linked ones never evicted. */
export class PeerTable {
  readonly #entropy: Entropy;
  readonly #linked = new Map<NodeId, Peer>();
  readonly #others = new BoundedMap<NodeId, Peer>(peersMax);
  readonly #byPrefix = new Map<string, Peer>();

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** The peer, if an exchange with it was ever finished and is still remembered. */
  get(id: NodeId): Peer | undefined {
    return this.#linked.get(id) ?? this.#others.get(id);
  }

  /** The peer whose id begins with these 16 bytes in hexadecimal. */
  byPrefix(prefix: string): Peer | undefined {
    return this.#byPrefix.get(prefix);
  }

  /** The peer, made if it is new. */
  open(id: NodeId): Peer {
    const known = this.get(id);
    if (known !== undefined) return known;
    const peer = new Peer(id, this.#entropy);
    this.#byPrefix.set(peer.prefix, peer);
    this.#keep(peer);
    return peer;
  }

  #keep(peer: Peer): void {
    const evicted = this.#others.set(peer.id, peer);
    if (evicted === undefined) return;
    evicted[1].keys.forget();
    this.#byPrefix.delete(evicted[1].prefix);
  }

  /** Peers with a link. */
  links(): readonly Peer[] {
    return [...this.#linked.values()];
  }

  /** How many links there are. */
  get linkCount(): number {
    return this.#linked.size;
  }

  /** How many peers without a link are remembered. */
  get otherCount(): number {
    return this.#others.size;
  }

  /** Marks the link as held. */
  link(peer: Peer): void {
    peer.linked = true;
    this.#others.delete(peer.id);
    this.#linked.set(peer.id, peer);
    // It may have had to make room for others between its exchange and its first answer.
    this.#byPrefix.set(peer.prefix, peer);
  }

  /** Marks the link as over; the peer's keys stay, for it may still be there. */
  unlink(peer: Peer): void {
    peer.linked = false;
    peer.dialled = false;
    peer.accepted = false;
    peer.dialledAt = undefined;
    if (this.#linked.delete(peer.id)) this.#keep(peer);
  }

  /** Forgets the peer and everything held for it. */
  forget(id: NodeId): void {
    const peer = this.get(id);
    if (peer === undefined) return;
    peer.linked = false;
    peer.keys.forget();
    this.#linked.delete(id);
    this.#others.delete(id);
    this.#byPrefix.delete(peer.prefix);
  }
}
