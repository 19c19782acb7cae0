/**
 * Links: from a finished exchange over the first sealed round trip to the last sign of life. Carries
 * out what the monitor decides and tells everybody else of links that come and go.
 *
 * @module
 */
import type { Counters } from "../base/counters.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { earliest, elapsed, type Instant } from "../base/instant.ts";
import { unreachable } from "../base/invariant.ts";
import type { Prng } from "../base/prng.ts";
import type { UnlinkReason } from "../discovery/mod.ts";
import type { Clock } from "../platform/clock.ts";
import type { ExchangeResult } from "../session/mod.ts";
import {
  type LinkDropReason,
  type LinkHealth,
  type LinkRole,
  type Monitor,
  type MonitorEffect,
  nextTurn,
} from "../sync/mod.ts";
import { isDecodeError } from "../base/decode.ts";
import { decodeCoseSign1 } from "../wire/cose_sign1.ts";
import type { NodeIdPrefixHex } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import type { Asker } from "./asker.ts";
import type { DialOutcome, ExchangePlace } from "./authenticator.ts";
import type { Background } from "./background.ts";
import type { Gossip } from "./gossip.ts";
import { LinkRenewal } from "./link_renewal.ts";
import {
  lettingGoMax,
  linksMax,
  probeAnswerWait,
  proveStrangerEvery,
  proveTries,
  proveWait,
  provingMax,
} from "./limits.ts";
import type { Peer, PeerTable } from "./peer.ts";
import type { Timed } from "./pump.ts";
import type { RelayedProbes } from "./relayed_probes.ts";

/** What links tell the node. */
export interface LinksOwner {
  /** Dials and runs an exchange; a finished one comes back here by itself. */
  dial(to: SocketAddress, onConnected: () => void): Promise<DialOutcome>;
  /** Only opens a TCP connection and closes it: whether the port refuses. */
  knock(to: SocketAddress): Promise<DialOutcome>;
  /** The port at which the node says it listens. */
  listenPortOf(id: NodeId): number | undefined;
  /** Addresses at which the node says it can be dialled, the likeliest first. */
  addressesOf(id: NodeId): readonly SocketAddress[];
  /** Whether this process runs late. */
  isLate(now: Instant): boolean;
  /** Whether the peer sees this node at another address than its own. */
  isTranslated(peer: Peer): boolean;
  /** Whether there may be one more link with this node. */
  admitsLink(peer: Peer): boolean;
  handleLinkUp(peer: Peer): void;
  handleLinkDown(peer: Peer, why: LinkEnd): void;
  handleSuspect(peer: Peer): void;
  /** A suspicion was wrong. */
  handleAlive(peer: Peer): void;
  /** A deadline may have come nearer: of this, or of what this told. */
  poke(): void;
}

/** Why a link ended. */
export type LinkEnd = LinkDropReason | "let go" | "no socket" | "stopped";

/** Parts of the links. */
export interface LinksOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly background: Background;
  readonly prng: Prng;
  readonly monitor: Monitor;
  readonly peers: PeerTable;
  readonly asker: Asker;
  readonly gossip: Gossip;
  readonly relayed: RelayedProbes;
  readonly owner: LinksOwner;
}

/** How the rest of the node classes an end. */
export function unlinkReason(why: LinkEnd): UnlinkReason {
  if (why === "good-bye") return "left";
  return why === "let go" ? "let-go" : "lost";
}

/** Links at work. */
export class Links implements Timed {
  readonly #options: LinksOptions;
  readonly #proving = new Set<NodeId>();
  readonly #lettingGo = new Set<NodeId>();
  /** Links that others were told to be suspect. */
  readonly #suspected = new Set<NodeId>();
  readonly #strangerProvedAt = new Map<NodeId, Instant>();
  readonly #renewal: LinkRenewal;

  constructor(options: LinksOptions) {
    this.#options = options;
    const { clock, background, prng, peers, monitor, owner } = options;
    this.#renewal = new LinkRenewal({
      clock,
      background,
      prng,
      peers,
      owner: {
        dial: (to, onConnected) => owner.dial(to, onConnected),
        addressesOf: (id) => owner.addressesOf(id),
        isLate: (now) => owner.isLate(now),
        handleConnected: (peer) => monitor.handleConnected(peer.id, this.#now()),
        handleAuthentication: (peer, outcome) =>
          this.#perform(monitor.handleAuthentication(peer.id, outcome, this.#now())),
      },
    });
  }

  #now(): Instant {
    return this.#options.clock.monotonic();
  }

  /** Peers being proven, and peers being let go. */
  get underWay(): { readonly proving: number; readonly lettingGo: number } {
    return { proving: this.#proving.size, lettingGo: this.#lettingGo.size };
  }

  /** What the monitor counted, by reason. */
  get counts(): Readonly<Record<string, number>> {
    return this.#options.monitor.counts();
  }

  /** An exchange was finished on this connection, dialled by this node or by the peer. */
  handleProven(result: ExchangeResult, place: ExchangePlace): void {
    const { counters, background } = this.#options;
    // The record shown must be the peer's own: it is taken in before anything is asked of it.
    const envelope = decodeCoseSign1(result.theirs.info);
    if (isDecodeError(envelope) || !equalBytes(envelope.key, result.publicKey)) {
      counters.count("exchange: record of another author shown");
      return;
    }
    background.own("adopt a peer", this.#adopt(result, place));
  }

  async #adopt(result: ExchangeResult, place: ExchangePlace): Promise<void> {
    const { peers, clock, gossip, owner } = this.#options;
    const peer = peers.open(result.peer);
    const now = this.#now();
    const isRestarted = peer.bootNonce !== undefined &&
      !equalBytes(peer.bootNonce, result.theirs.bootNonce);
    peer.keys.adopt(result.theirs.grant, now);
    peer.bootNonce = result.theirs.bootNonce;
    peer.exchanges[result.role === "initiator" ? "dialled" : "accepted"] = result.hash;
    peer.provenAt = clock.wall();
    peer.wallAheadMs = result.theirs.wallTime - clock.wall();
    if (result.role === "initiator") peer.dialled = true;
    else peer.accepted = true;
    await gossip.handleShown(peer, result.theirs.info);
    const { local, remote } = place;
    peer.way = { local: local.ip, remote: remote.ip };
    if (result.role === "initiator") {
      peer.address = remote;
      peer.dialledAt = remote;
    } else {
      // Who dialled comes from any port; its datagrams are taken where it says that it listens.
      const port = owner.listenPortOf(peer.id);
      const isKept = peer.linked && peer.address !== undefined && !isRestarted;
      if (port !== undefined && !isKept) {
        peer.address = socketAddress(remote.ip, port, remote.zone);
      }
    }
    await this.#prove(peer);
  }

  /** One sealed round trip makes the link. */
  async #prove(peer: Peer): Promise<void> {
    const { asker, counters, monitor, owner } = this.#options;
    if (this.#proving.has(peer.id)) return;
    if (!peer.linked && this.#proving.size >= provingMax) {
      counters.count("too many peers to prove");
      return;
    }
    this.#proving.add(peer.id);
    try {
      const outcome = await asker.ask(peer, { kind: "ping" }, {
        tries: proveTries,
        wait: proveWait,
      });
      if (outcome.kind !== "answer" || outcome.answer.kind !== "ping") {
        counters.count("exchange without a datagram's answer");
        return;
      }
      peer.provenRoundTripMs = outcome.roundTripMs;
      peer.seenAs = socketAddress(outcome.answer.seenIp, outcome.answer.seenPort);
      this.#perform(monitor.handleHeard(peer.id, this.#now()));
      if (!peer.linked && !owner.admitsLink(peer)) {
        await this.#letGo(peer);
        return;
      }
    } finally {
      this.#proving.delete(peer.id);
    }
    this.#linkUp(peer);
  }

  #linkUp(peer: Peer): void {
    const { peers, monitor, owner } = this.#options;
    const now = this.#now();
    const isNew = !peer.linked;
    if (isNew) {
      if (peers.linkCount >= linksMax) return;
      peers.link(peer);
    }
    this.#renewal.handleProven(peer, isNew);
    this.#perform(monitor.handleLink(peer.id, peer.dialledAt, now));
    if (!peer.accepted && owner.isTranslated(peer)) monitor.handleMapped(peer.id, now);
    if (isNew) owner.handleLinkUp(peer);
    // The exchange told the peer's time again.
    else this.handleRole(peer.id, monitor.snapshot(peer.id)?.role);
  }

  /** Too many links: the peer is brought into step and let go. */
  async #letGo(peer: Peer): Promise<void> {
    const { gossip, asker, counters } = this.#options;
    if (this.#lettingGo.has(peer.id)) return;
    if (this.#lettingGo.size < lettingGoMax) {
      this.#lettingGo.add(peer.id);
      try {
        await gossip.compareOnce(peer);
      } finally {
        this.#lettingGo.delete(peer.id);
      }
    } else counters.count("let go without a comparison");
    const exchangeHash = peer.nameableExchange;
    if (exchangeHash !== undefined) await asker.ask(peer, { kind: "letGo", exchangeHash });
  }

  /** This node has more links than it needs: the peer is told, and is no neighbour any more. */
  release(peer: Peer): void {
    const exchangeHash = peer.nameableExchange;
    if (!peer.linked || exchangeHash === undefined) return;
    const { asker, background } = this.#options;
    this.#partFrom(peer);
    // Unheard it leaves the peer probing, which after a while proves the link anew.
    const told = asker.ask(peer, { kind: "letGo", exchangeHash }).then(() => undefined);
    background.own("let a link go", told);
  }

  /** The link is over; the peer's keys stay, for it may still be there. */
  #unlink(peer: Peer, why: LinkEnd): void {
    const { peers, monitor, asker, owner } = this.#options;
    if (!peer.linked) return;
    monitor.handleUnlink(peer.id);
    this.#suspected.delete(peer.id);
    this.#renewal.handleUnlink(peer.id);
    peers.unlink(peer);
    asker.abandon(peer.id);
    owner.handleLinkDown(peer, why);
  }

  /**
   * An authentic request came from the peer. Without a link that is a reason to prove one.
   *
   * @param isFirst Whether it was not seen before and comes from where it says.
   */
  handleHeard(peer: Peer, isFirst: boolean): void {
    if (peer.linked && isFirst) this.#options.monitor.handleAsked(peer.id, this.#now());
    if (peer.linked || !peer.keys.ready || peer.address === undefined) return;
    const at = this.#strangerProvedAt.get(peer.id);
    const now = this.#now();
    if (at !== undefined && elapsed(at, now) < proveStrangerEvery) return;
    for (const [id, provedAt] of this.#strangerProvedAt) {
      if (elapsed(provedAt, now) >= proveStrangerEvery) this.#strangerProvedAt.delete(id);
    }
    this.#strangerProvedAt.set(peer.id, now);
    this.#options.background.own("prove a peer", this.#prove(peer));
  }

  /** The peer does not know the key we ask under, or so somebody says: a new exchange tells. */
  handleStranger(peer: Peer): void {
    this.#options.background.own("authenticate anew", this.#renewal.authenticate(peer));
  }

  /** Another node's `links` record says that it lost the peer. */
  handleReportedLoss(peer: Peer, reporter: NodeIdPrefixHex): void {
    this.#options.monitor.handleReportedLoss(peer.id, reporter, this.#now());
  }

  /** One that watched the peer is lost: as good as a report, and none of that one's own. */
  handleLostWatcher(peer: Peer, watcher: NodeIdPrefixHex): void {
    this.#options.monitor.handleReportedLoss(peer.id, `lost ${watcher}`, this.#now());
  }

  /** What both ends' records show of the link now. */
  handleRole(id: NodeId, role: LinkRole | undefined): void {
    const { peers, monitor } = this.#options;
    const now = this.#now();
    const peer = peers.get(id);
    const timeThere = role?.watches === true ? peer?.keys.timeThere(now) : undefined;
    const turn = role === undefined || peer === undefined || timeThere === undefined
      ? undefined
      : nextTurn(peer.prefix, role.turn, timeThere, now);
    monitor.handleRole(id, role, turn, now);
  }

  /** The peer said good-bye, naming the boot that ends. */
  handleLeaving(peer: Peer, bootNonce: Bytes): void {
    if (peer.bootNonce === undefined || !equalBytes(peer.bootNonce, bootNonce)) return;
    peer.keys.forget();
    this.#unlink(peer, "good-bye");
  }

  /** The peer will be back in a moment. */
  handleRestarting(peer: Peer, bootNonce: Bytes): void {
    if (peer.bootNonce === undefined || !equalBytes(peer.bootNonce, bootNonce)) return;
    this.#perform(this.#options.monitor.handleRestarting(peer.id, this.#now()));
  }

  /** The peer has links enough; the exchange that it ends is named. */
  handleLetGo(peer: Peer, exchangeHash: Bytes): void {
    const known = [peer.exchanges.dialled, peer.exchanges.accepted];
    if (!known.some((hash) => hash !== undefined && equalBytes(hash, exchangeHash))) return;
    this.#partFrom(peer);
  }

  /** Ends a link that both ends can spare: what is still under way between them proves no new one. */
  #partFrom(peer: Peer): void {
    this.#strangerProvedAt.set(peer.id, this.#now());
    this.#unlink(peer, "let go");
  }

  /** The socket that the link used is gone: another way is looked for at once. */
  handleNoSocket(peer: Peer): void {
    this.#unlink(peer, "no socket");
  }

  /** Repeats the exchange with every link: what was learned of their clocks is worth nothing now. */
  proveAnew(now: Instant): void {
    this.#renewal.renewAll(now);
  }

  /** How the link does. */
  healthOf(id: NodeId): LinkHealth | undefined {
    return this.#options.monitor.snapshot(id);
  }

  #perform(effects: readonly MonitorEffect[]): void {
    const { peers, background, owner } = this.#options;
    for (const effect of effects) {
      const peer = peers.get(effect.id);
      if (peer === undefined) continue;
      switch (effect.kind) {
        case "probe":
          background.own("probe", this.#probe(peer, effect.attempt));
          break;
        case "authenticate":
          background.own("authenticate", this.#renewal.authenticate(peer));
          break;
        case "knock":
          background.own("knock", this.#knock(peer));
          break;
        case "relay":
          background.own("ask through others", this.#askThroughOthers(peer));
          break;
        case "suspect":
          this.#suspected.add(peer.id);
          owner.handleSuspect(peer);
          break;
        case "alive":
          if (this.#suspected.delete(peer.id)) owner.handleAlive(peer);
          break;
        case "drop":
          this.#unlink(peer, effect.why);
          break;
        default:
          unreachable(effect);
      }
    }
  }

  async #knock(peer: Peer): Promise<void> {
    const { monitor, owner } = this.#options;
    const { address } = peer;
    if (address === undefined) return;
    const outcome = await owner.knock(address);
    if (outcome.kind !== "failed" || outcome.why !== "refused") return;
    this.#perform(monitor.handleRefused(peer.id, address, this.#now()));
  }

  #askThroughOthers(peer: Peer): Promise<void> {
    const { relayed, monitor } = this.#options;
    return relayed.ask(peer, () => {
      this.#perform(monitor.handleRelayed(peer.id, this.#now()));
    });
  }

  async #probe(peer: Peer, attempt: number): Promise<void> {
    const { asker, gossip, monitor, owner } = this.#options;
    const ours = await gossip.probe();
    const outcome = await asker.ask(peer, ours, { tries: 1, wait: probeAnswerWait });
    if (outcome.kind !== "answer") return;
    this.#perform(monitor.handleAnswer(peer.id, attempt, this.#now()));
    if (outcome.answer.kind !== "probe") return;
    gossip.handleProbed(peer, ours, outcome.answer);
    // Nothing follows from equal stores, and this is what nearly every probe finds.
    if (!equalBytes(ours.digest, outcome.answer.digest)) owner.poke();
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#options.monitor.nextTimeout(), this.#renewal.nextTimeout());
  }

  handleTimeout(now: Instant): void {
    this.#perform(this.#options.monitor.handleTimeout(now));
    this.#renewal.handleTimeout(now);
  }
}
