/**
 * Full exchanges with peers that this node knows already: when the monitor wants one, or somebody
 * does not know the key, and again for every link once a day.
 *
 * @module
 */
import { earliest, type Instant, later, scaled } from "../base/instant.ts";
import type { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import type { AuthenticationOutcome } from "../sync/mod.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import type { DialOutcome } from "./authenticator.ts";
import type { Background } from "./background.ts";
import { dialBackAfter, reproveEvery } from "./limits.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { Timed } from "./pump.ts";

/** What a renewal needs of others, and tells them. */
export interface LinkRenewalOwner {
  /** Dials and runs an exchange. */
  dial(to: SocketAddress, onConnected: () => void): Promise<DialOutcome>;
  /** Addresses at which the node says it can be dialled, the likeliest first. */
  addressesOf(id: NodeId): readonly SocketAddress[];
  /** The peer's machine has taken the connection. */
  handleConnected(peer: Peer): void;
  handleAuthentication(peer: Peer, outcome: AuthenticationOutcome): void;
}

/** Parts of the renewals. */
export interface LinkRenewalOptions {
  readonly clock: Clock;
  readonly background: Background;
  readonly prng: Prng;
  readonly peers: PeerTable;
  readonly owner: LinkRenewalOwner;
}

/** Renewals at work. */
export class LinkRenewal implements Timed {
  readonly #options: LinkRenewalOptions;
  readonly #authenticating = new Set<NodeId>();
  readonly #dueAt = new Map<NodeId, Instant>();
  /** The earliest of them, once somebody asked since they changed: it is asked for often. */
  #next: Instant | undefined;

  constructor(options: LinkRenewalOptions) {
    this.#options = options;
  }

  /** The link was proven just now: the next exchange with it is a day away. */
  handleProven(peer: Peer, isNew: boolean): void {
    const { clock, prng } = this.#options;
    const again = peer.dialledAt === undefined
      ? scaled(dialBackAfter, prng.between(0.5, 1.5))
      : scaled(reproveEvery, prng.between(0.9, 1.1));
    // Not later for being proven again meanwhile, by the peer's own dialling.
    if (isNew || peer.dialledAt !== undefined) this.#set(peer.id, later(clock.monotonic(), again));
  }

  /** The link is over. */
  handleUnlink(id: NodeId): void {
    this.#dueAt.delete(id);
    this.#next = undefined;
  }

  /** All links are due now: what was learned of their clocks is worth nothing. */
  renewAll(now: Instant): void {
    for (const id of this.#dueAt.keys()) this.#set(id, now);
  }

  /** A full exchange with the peer, at its addresses one after the other until one answers. */
  async authenticate(peer: Peer): Promise<void> {
    if (this.#authenticating.has(peer.id)) return;
    this.#authenticating.add(peer.id);
    try {
      this.#options.owner.handleAuthentication(peer, await this.#dial(peer));
    } finally {
      this.#authenticating.delete(peer.id);
    }
  }

  async #dial(peer: Peer): Promise<AuthenticationOutcome> {
    const { owner } = this.#options;
    const first = peer.address;
    let refusedAt: SocketAddress | undefined;
    for (const address of [...first === undefined ? [] : [first], ...owner.addressesOf(peer.id)]) {
      const outcome = await owner.dial(address, () => owner.handleConnected(peer));
      if (outcome.kind === "proven" && outcome.result.peer === peer.id) {
        return { kind: "finished", address };
      }
      if (outcome.kind === "failed" && outcome.why === "refused" && address === first) {
        refusedAt = address;
        break;
      }
    }
    return refusedAt === undefined ? { kind: "failed" } : { kind: "refused", address: refusedAt };
  }

  #set(id: NodeId, at: Instant): void {
    this.#dueAt.set(id, at);
    this.#next = undefined;
  }

  nextTimeout(): Instant | undefined {
    if (this.#dueAt.size > 0) this.#next ??= earliest(...this.#dueAt.values());
    return this.#next;
  }

  handleTimeout(now: Instant): void {
    const { peers, background, prng } = this.#options;
    for (const [id, at] of this.#dueAt) {
      if (at > now) continue;
      this.#set(id, later(now, scaled(reproveEvery, prng.between(0.9, 1.1))));
      const peer = peers.get(id);
      if (peer !== undefined) background.own("repeat the exchange", this.authenticate(peer));
    }
  }
}
