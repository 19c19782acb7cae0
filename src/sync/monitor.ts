/**
 * Whether the other end of each link still answers. One probe per link and interval, evenly spread:
 * every few seconds where this node is one of the peer's two watchers, every few minutes elsewhere;
 * what is missed is asked again, and two misses start a *round*: quick UDP tries while a TCP
 * authentication runs beside them and two others are asked to ask; one answer on any path ends the
 * suspicion. PROTOCOL §8.5; round-trip smoothing after RFC 6298,
 * spreading after DESYNC (Degesys et al., 2007), distrust of a slow self after Lifeguard (2018).
 *
 * It refuses to believe anything that is not an answer to this node: not a datagram that arrived, not
 * a TCP accept, not another node's word. Which links it watches its owner tells (`watchers.ts`).
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { Counters } from "../base/counters.ts";
import { earliest, elapsed, type Instant, later, scaled } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import type { Allowance } from "./allowance.ts";
import {
  lateAfter,
  mappedLinksMax,
  monitoredLinksMax,
  probeInterval,
  reportedLossesMax,
  reportedLossPause,
  reportedLossSpread,
} from "./limits.ts";
import type {
  AuthenticationOutcome,
  LinkHealth,
  LinkRole,
  MonitorEffect,
} from "./monitor_effects.ts";
import { MonitoredLink } from "./monitored_link.ts";
import { freePhase } from "./probe_spread.ts";
import { SelfTrust } from "./self_trust.ts";

export type {
  AuthenticationOutcome,
  LinkDropReason,
  LinkHealth,
  LinkPath,
  LinkRole,
  MonitorEffect,
} from "./monitor_effects.ts";

export interface MonitorOptions {
  /** For the phase of the first link, so that nodes started together do not probe together. */
  readonly prng: Prng;
  /** For answers, while this process runs late; nothing by default. */
  readonly allowance?: Allowance;
}

/** The machine. All times are this process's monotonic clock. */
export class Monitor {
  readonly #links = new Map<NodeId, MonitoredLink>();
  readonly #counters = new Counters();
  /** When a loss was last reported, by the lost and the reporter, unless it proved true. */
  readonly #reports = new BoundedMap<string, Instant>(reportedLossesMax);
  readonly #prng: Prng;
  readonly #trust: SelfTrust;
  /** The earliest deadline of all links or before it, once somebody asked since one was touched. */
  #next: { readonly due: Instant | undefined } | undefined;

  constructor(options: MonitorOptions) {
    this.#prng = options.prng;
    this.#trust = new SelfTrust(options.allowance);
  }

  /**
   * A link has been proven, for the first time or again, by an exchange finished at `address` (left
   * out if the peer dialled). A link already known counts as a finished authentication.
   */
  handleLink(id: NodeId, address: SocketAddress | undefined, now: Instant): MonitorEffect[] {
    const known = this.#link(id);
    if (known !== undefined) return this.#settled(known.handleFinished(address, now));
    invariant(this.#links.size < monitoredLinksMax, "no more links than the monitor's limit");
    const first = freePhase(this.#links.values(), probeInterval, this.#prng, now);
    const link = new MonitoredLink(id, this.#trust, first, now);
    this.#links.set(id, link);
    return link.handleFinished(address, now);
  }

  /** The node gave the link up for a reason of its own. */
  handleUnlink(id: NodeId): void {
    this.#next = undefined;
    this.#links.delete(id);
  }

  /** The link of that id, about to be told something: its deadline may move. */
  #link(id: NodeId): MonitoredLink | undefined {
    this.#next = undefined;
    return this.#links.get(id);
  }

  /**
   * What the two ends of the link are to one another now. While that is not known (`undefined`) the
   * link is probed as if this node watched it.
   *
   * @param turn When it is this watcher's turn next; left out if that is not known.
   */
  handleRole(
    id: NodeId,
    role: LinkRole | undefined,
    turn: Instant | undefined,
    now: Instant,
  ): void {
    const link = this.#link(id);
    if (link === undefined) return;
    const before = link.interval;
    link.handleRole(role, turn, now);
    if (turn !== undefined) return;
    if (link.interval !== before) this.#place(link, now);
  }

  /** Only this node can dial the peer: an address translator stands between. */
  handleMapped(id: NodeId, now: Instant): void {
    const link = this.#link(id);
    if (link === undefined || link.isMapped) return;
    const kept = [...this.#links.values()].filter(({ isMapped }) => isMapped).length;
    if (kept >= mappedLinksMax) return this.#counters.count("mapping not kept open");
    const before = link.interval;
    link.keepOpen();
    if (link.interval !== before) this.#place(link, now);
  }

  /** Finds the link a place among those of its interval. */
  #place(link: MonitoredLink, now: Instant): void {
    const others = [...this.#links.values()].filter((other) => other !== link);
    link.probeAt(freePhase(others, link.interval, this.#prng, now));
  }

  /**
   * The peer asked something, now and from where it is: a watcher of ours is at work. No answer to
   * this node, so it ends no suspicion.
   */
  handleAsked(id: NodeId, now: Instant): void {
    // Told with every request: its deadline only moves away, so what is kept is early at most.
    this.#links.get(id)?.handleAsked(now);
  }

  /** The probe `attempt` was answered. */
  handleAnswer(id: NodeId, attempt: number, now: Instant): MonitorEffect[] {
    const effects = this.#link(id)?.handleAnswer(attempt, now) ?? "answer to no probe";
    if (typeof effects !== "string") return effects;
    this.#counters.count(effects);
    return [];
  }

  /** The peer answered this node through somebody else. */
  handleRelayed(id: NodeId, now: Instant): MonitorEffect[] {
    return this.#settled(this.#link(id)?.handleRelayed(now) ?? []);
  }

  /** Another datagram of this node's was answered by the peer: as good as an answered probe. */
  handleHeard(id: NodeId, now: Instant): MonitorEffect[] {
    return this.#link(id)?.handleHeard(now) ?? [];
  }

  /** The connection of an authentication under way was taken; its exchange is not finished yet. */
  handleConnected(id: NodeId, now: Instant): void {
    this.#link(id)?.handleConnected(now);
  }

  /** An exchange with the peer that this node dialled has ended. */
  handleAuthentication(
    id: NodeId,
    outcome: AuthenticationOutcome,
    now: Instant,
  ): MonitorEffect[] {
    return this.#settled(this.#link(id)?.handleAuthentication(outcome, now) ?? []);
  }

  /** The port at the address refused a connection that this node opened for a suspicion. */
  handleRefused(id: NodeId, address: SocketAddress, now: Instant): MonitorEffect[] {
    return this.#settled(this.#link(id)?.handleRefused(address, now) ?? []);
  }

  /**
   * Another node says that it lost the peer: the peer is probed at once instead of at its turn, once
   * per reporter in ten minutes. The word of the other accuses nobody; silence here does.
   *
   * @param reporter Names who says so, or, in other words, the lost node that watched the peer.
   */
  handleReportedLoss(id: NodeId, reporter: string, now: Instant): void {
    const link = this.#link(id);
    if (link === undefined || link.isSuspect || link.isReported) return;
    const pair = `${id} ${reporter}`;
    const reportedAt = this.#reports.get(pair);
    if (reportedAt !== undefined && elapsed(reportedAt, now) < reportedLossPause) {
      return this.#counters.count("loss reported again");
    }
    this.#reports.set(pair, now);
    link.handleReportedLoss(later(now, scaled(reportedLossSpread, this.#prng.unit())), now);
  }

  /** The peer said that it will be back: its link is kept for a minute, once per exchange. */
  handleRestarting(id: NodeId, now: Instant): MonitorEffect[] {
    return this.#link(id)?.handleRestarting(now) ?? [];
  }

  /** The peer said good-bye. */
  handleLeaving(id: NodeId): MonitorEffect[] {
    const link = this.#link(id);
    return link === undefined ? [] : this.#settled([link.drop("good-bye")]);
  }

  /** What is due at `now`. */
  handleTimeout(now: Instant): MonitorEffect[] {
    const due = this.#earliest();
    this.#next = { due };
    if (due === undefined || due > now) return [];
    this.#next = undefined;
    const late = elapsed(due, now);
    // We were not running when we should have been.
    if (late > lateAfter) {
      this.#counters.count("ran late");
      this.#trust.handleLate();
      for (const link of this.#links.values()) link.forgive(late, now);
    }
    const effects: MonitorEffect[] = [];
    for (const link of [...this.#links.values()]) {
      if (link.endHandover(now)) this.#place(link, now);
      effects.push(...this.#settled(link.handleTimeout(this.#links.values(), now)));
    }
    return effects;
  }

  /** When `handleTimeout` wants to be called; may be early. */
  nextTimeout(): Instant | undefined {
    this.#next ??= { due: this.#earliest() };
    return this.#next.due;
  }

  #earliest(): Instant | undefined {
    let next: Instant | undefined;
    for (const link of this.#links.values()) next = earliest(next, link.nextTimeout());
    return next;
  }

  /** One link, or `undefined` if it is not monitored. */
  snapshot(id: NodeId): LinkHealth | undefined {
    return this.#links.get(id)?.snapshot();
  }

  /** What was ignored or dropped, by reason. */
  counts(): Readonly<Record<string, number>> {
    return this.#counters.snapshot();
  }

  /** Who reported it was right: once the peer is back, a loss is news again. */
  #forgetReports(id: NodeId): void {
    for (const pair of [...this.#reports.keys()]) {
      if (pair.startsWith(id)) this.#reports.delete(pair);
    }
  }

  /** The effects, after this machine has let go of what they drop. */
  #settled(effects: MonitorEffect[]): MonitorEffect[] {
    for (const effect of effects) {
      if (effect.kind !== "drop") continue;
      this.#links.delete(effect.id);
      this.#counters.count(effect.why);
      if (effect.why === "silent" || effect.why === "refused") this.#forgetReports(effect.id);
    }
    return effects;
  }
}
