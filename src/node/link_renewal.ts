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
import { dialBackAfter, dialBackBackoff, dialBackTries, reproveEvery } from "./limits.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { Timed } from "./pump.ts";

/** What a renewal needs of others, and tells them. */
export interface LinkRenewalOwner {
  /** Dials and runs an exchange. */
  dial(to: SocketAddress, onConnected: () => void): Promise<DialOutcome>;
  /** Addresses at which the node says it can be dialled, the likeliest first. */
  addressesOf(id: NodeId): readonly SocketAddress[];
  /** Whether this process runs late. */
  isLate(now: Instant): boolean;
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

/** The next exchange with a peer. */
interface Due {
  readonly at: Instant;
  /**
   * If it is to be the first one dialled from here, which can wait until there is time for it: how
   * often that was tried in vain.
   */
  readonly dialBacksFailed?: number;
}

/** Renewals at work. */
export class LinkRenewal implements Timed {
  readonly #options: LinkRenewalOptions;
  readonly #authenticating = new Set<NodeId>();
  readonly #due = new Map<NodeId, Due>();
  /** The earliest of them, once somebody asked since they changed: it is asked for often. */
  #next: Instant | undefined;

  constructor(options: LinkRenewalOptions) {
    this.#options = options;
  }

  /** The link was proven just now: the next exchange with it is a day away. */
  handleProven(peer: Peer, isNew: boolean): void {
    const now = this.#options.clock.monotonic();
    // Not later for being proven again meanwhile, by the peer's own dialling.
    if (peer.dialledAt !== undefined) this.#set(peer.id, this.#daily(now));
    else if (isNew) this.#set(peer.id, this.#dialBack(0, now));
  }

  #daily(now: Instant): Due {
    const after = scaled(reproveEvery, this.#options.prng.between(0.9, 1.1));
    return { at: later(now, after) };
  }

  /** Who could not be dialled may be busy, or behind a translator: each further try waits longer. */
  #dialBack(failed: number, now: Instant): Due {
    if (failed >= dialBackTries) return this.#daily(now);
    const usual = scaled(dialBackAfter, dialBackBackoff ** failed);
    const after = scaled(usual, this.#options.prng.between(0.5, 1.5));
    return { at: later(now, after), dialBacksFailed: failed };
  }

  /** The link is over. */
  handleUnlink(id: NodeId): void {
    this.#due.delete(id);
    this.#next = undefined;
  }

  /** All links are due now: what was learned of their clocks is worth nothing. */
  renewAll(now: Instant): void {
    for (const id of this.#due.keys()) this.#set(id, { at: now });
  }

  /** A full exchange with the peer, at its addresses one after the other until one answers. */
  async authenticate(peer: Peer): Promise<void> {
    await this.#authenticate(peer);
  }

  /** Whether it was finished by this call. */
  async #authenticate(peer: Peer): Promise<boolean> {
    if (this.#authenticating.has(peer.id)) return false;
    this.#authenticating.add(peer.id);
    try {
      const outcome = await this.#dial(peer);
      this.#options.owner.handleAuthentication(peer, outcome);
      return outcome.kind === "finished";
    } finally {
      this.#authenticating.delete(peer.id);
    }
  }

  async #authenticateFirst(peer: Peer, failed: number): Promise<void> {
    if (await this.#authenticate(peer) || !this.#due.has(peer.id)) return;
    if (peer.dialledAt !== undefined) return;
    this.#set(peer.id, this.#dialBack(failed + 1, this.#options.clock.monotonic()));
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

  #set(id: NodeId, due: Due): void {
    this.#due.set(id, due);
    this.#next = undefined;
  }

  nextTimeout(): Instant | undefined {
    if (this.#due.size > 0) {
      this.#next ??= earliest(...Array.from(this.#due.values(), ({ at }) => at));
    }
    return this.#next;
  }

  handleTimeout(now: Instant): void {
    const { peers, background, owner } = this.#options;
    for (const [id, { at, dialBacksFailed: failed }] of this.#due) {
      if (at > now) continue;
      if (failed !== undefined && owner.isLate(now)) {
        this.#set(id, this.#dialBack(failed, now));
        continue;
      }
      this.#set(id, this.#daily(now));
      const peer = peers.get(id);
      if (peer === undefined) continue;
      const exchange = failed === undefined
        ? this.authenticate(peer)
        : this.#authenticateFirst(peer, failed);
      background.own("repeat the exchange", exchange);
    }
  }
}
