/**
 * Whether the other end of each link still answers. One probe per link and interval, evenly spread;
 * a miss starts a *round*: quick UDP tries while a TCP authentication runs beside them, and one
 * answer on either path ends the suspicion. PROTOCOL §8.5; round-trip smoothing after RFC 6298,
 * spreading after DESYNC (Degesys et al., 2007), distrust of a slow self after Lifeguard (2018).
 *
 * It refuses to believe anything that is not an answer to this node: not a datagram that arrived, not
 * a TCP accept, not another node's word. Which links it watches is its owner's decision.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import { Counters } from "../base/counters.ts";
import {
  type Duration,
  earliest,
  elapsed,
  type Instant,
  later,
  milliseconds,
  scaled,
} from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import type { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import {
  answerAgeMax,
  authenticationWait,
  forgivenGapsMax,
  lateAfter,
  missAfterMax,
  missAfterMin,
  monitoredLinksMax,
  outstandingProbesMax,
  probeInterval,
  provenAddressesMax,
  provenAddressLifetime,
  refusalMissesMin,
  reportedLossesMax,
  reportedLossPause,
  reportedLossSpread,
  restartingLinkLifetime,
  tcpOnlyRoundsMax,
  tryInterval,
} from "./limits.ts";
import { LossEstimate, RoundTripEstimate, triesFor } from "./link_quality.ts";

/** Why a link was dropped. */
export type LinkDropReason =
  | "silent"
  | "refused"
  | "udp blocked"
  | "good-bye"
  | "restart overdue";

/** What the node is to do. */
export type MonitorEffect =
  /** Send one sealed probe; its answer comes back as `handleAnswer(id, attempt, now)`. */
  | { readonly kind: "probe"; readonly id: NodeId; readonly attempt: number }
  /** Run a full exchange over TCP; its end comes back as `handleAuthentication`. */
  | { readonly kind: "authenticate"; readonly id: NodeId }
  | { readonly kind: "suspect"; readonly id: NodeId }
  /** The suspicion ended, or the path that works is another one now. */
  | { readonly kind: "alive"; readonly id: NodeId; readonly via: "udp" | "tcp" }
  /** The link is over and no longer monitored. */
  | { readonly kind: "drop"; readonly id: NodeId; readonly why: LinkDropReason };

/** How an authentication that was asked for ended. An accepted connection alone is `failed`. */
export type AuthenticationOutcome =
  | { readonly kind: "finished"; readonly address: SocketAddress }
  | { readonly kind: "refused"; readonly address: SocketAddress }
  | { readonly kind: "failed" };

/** One link as seen from here. */
export interface LinkHealth {
  readonly id: NodeId;
  readonly state: "steady" | "suspect" | "restarting";
  /** Smoothed round trip of probes; absent before the first answer. */
  readonly rtt?: Duration;
  /** Part of the probes that met no answer in time, 0…1, over roughly the last sixteen. */
  readonly loss: number;
  /** When this node last had an answer from there, on any path. */
  readonly lastHeard: Instant;
  readonly via: "udp" | "tcp";
}

export interface MonitorOptions {
  /** For the phase of the first link, so that nodes started together do not probe together. */
  readonly prng: Prng;
}

interface Attempt {
  readonly sentAt: Instant;
  /** Whether it no longer matters to the loss: already counted as lost, or forgiven. */
  settled: boolean;
}

interface Round {
  tries: number;
  readonly triesMax: number;
  misses: number;
  /** When the next try is due; after the last one, when waiting for answers ends. */
  nextTry: Instant;
  triesOver: boolean;
  authentication: "running" | "finished" | "failed" | "refused where proven";
  authenticationDeadline: Instant;
}

interface Link {
  readonly id: NodeId;
  /** Own interval of every link: later some are probed more often than others. */
  readonly interval: Duration;
  nextProbe: Instant;
  lastProbe: Instant;
  lastHeard: Instant;
  nextAttempt: number;
  readonly attempts: BoundedMap<number, Attempt>;
  /** Until when the regular probe under way may be answered. */
  awaitedUntil: Instant | undefined;
  round: Round | undefined;
  restartingUntil: Instant | undefined;
  suspected: boolean;
  via: "udp" | "tcp";
  tcpOnlyRounds: number;
  forgivenGaps: number;
  readonly roundTrip: RoundTripEstimate;
  readonly loss: LossEstimate;
  /** When an exchange was last finished, by address. */
  readonly provenAt: BoundedMap<string, Instant>;
}

/** The part of the distance to the middle of its neighbours that a probe moves per interval. */
const spreadGain = 0.75;
/** The most a probe moves per interval, as a part of the interval: intervals stay within ±10 %. */
const spreadStepMax = 0.1;

/** The machine. All times are this process's monotonic clock. */
export class Monitor {
  readonly #links = new Map<NodeId, Link>();
  readonly #counters = new Counters();
  readonly #reports = new BoundedMap<string, Instant>(reportedLossesMax);
  readonly #prng: Prng;

  constructor(options: MonitorOptions) {
    this.#prng = options.prng;
  }

  /**
   * A link has been proven, for the first time or again, by an exchange finished at `address` (left
   * out if the peer dialled). A link already known counts as a finished authentication.
   */
  handleLink(id: NodeId, address: SocketAddress | undefined, now: Instant): MonitorEffect[] {
    const known = this.#links.get(id);
    if (known !== undefined) return this.#finished(known, address, now);
    invariant(this.#links.size < monitoredLinksMax, "no more links than the monitor's limit");
    const link: Link = {
      id,
      interval: probeInterval,
      nextProbe: this.#freePhase(now),
      lastProbe: now,
      lastHeard: now,
      nextAttempt: 1,
      attempts: new BoundedMap(outstandingProbesMax),
      awaitedUntil: undefined,
      round: undefined,
      restartingUntil: undefined,
      suspected: false,
      via: "udp",
      tcpOnlyRounds: 0,
      forgivenGaps: 0,
      roundTrip: new RoundTripEstimate(),
      loss: new LossEstimate(),
      provenAt: new BoundedMap(provenAddressesMax),
    };
    if (address !== undefined) link.provenAt.set(formatSocketAddress(address), now);
    this.#links.set(id, link);
    return [];
  }

  /** The node gave the link up for a reason of its own. */
  handleUnlink(id: NodeId): void {
    this.#links.delete(id);
  }

  /** The probe `attempt` was answered. */
  handleAnswer(id: NodeId, attempt: number, now: Instant): MonitorEffect[] {
    const link = this.#links.get(id);
    const sent = link?.attempts.get(attempt);
    if (link === undefined || sent === undefined) return this.#ignore("answer to no probe");
    link.attempts.delete(attempt);
    const rtt = elapsed(sent.sentAt, now);
    // What was answered so long ago says nothing about now.
    if (rtt > answerAgeMax) return this.#ignore("answer too late");
    link.roundTrip.sample(rtt);
    if (!sent.settled) link.loss.sample(false);
    return this.#answered(link, now);
  }

  /** Another datagram of this node's was answered by the peer: as good as an answered probe. */
  handleHeard(id: NodeId, now: Instant): MonitorEffect[] {
    const link = this.#links.get(id);
    return link === undefined ? [] : this.#answered(link, now);
  }

  /** An exchange with the peer that this node dialled has ended. */
  handleAuthentication(
    id: NodeId,
    outcome: AuthenticationOutcome,
    now: Instant,
  ): MonitorEffect[] {
    const link = this.#links.get(id);
    if (link === undefined) return [];
    if (outcome.kind === "finished") return this.#finished(link, outcome.address, now);
    const round = link.round;
    if (round === undefined || round.authentication !== "running") return [];
    round.authentication = "failed";
    if (outcome.kind === "refused") {
      const provenAt = link.provenAt.get(formatSocketAddress(outcome.address));
      if (provenAt !== undefined && elapsed(provenAt, now) <= provenAddressLifetime) {
        round.authentication = "refused where proven";
      }
    }
    return this.#judge(link, round, now);
  }

  /**
   * Another node says that it lost the peer: the peer is probed at once instead of at its turn, once
   * per reporter in ten minutes. The word of the other accuses nobody; silence here does.
   */
  handleReportedLoss(id: NodeId, reporter: NodeId, now: Instant): void {
    const link = this.#links.get(id);
    if (link === undefined || link.awaitedUntil !== undefined || link.round !== undefined) return;
    const pair = `${id} ${reporter}`;
    const reportedAt = this.#reports.get(pair);
    if (reportedAt !== undefined && elapsed(reportedAt, now) < reportedLossPause) return;
    this.#reports.set(pair, now);
    const soon = later(now, scaled(reportedLossSpread, this.#prng.unit()));
    if (soon < link.nextProbe) link.nextProbe = soon;
  }

  /** The peer said that it will be back: its link is kept for a minute, once per exchange. */
  handleRestarting(id: NodeId, now: Instant): MonitorEffect[] {
    const link = this.#links.get(id);
    if (link === undefined || link.restartingUntil !== undefined) return [];
    link.restartingUntil = later(now, restartingLinkLifetime);
    link.lastHeard = now;
    this.#settleAttempts(link);
    link.awaitedUntil = undefined;
    return this.#endRound(link, now);
  }

  /** The peer said good-bye. */
  handleLeaving(id: NodeId): MonitorEffect[] {
    const link = this.#links.get(id);
    return link === undefined ? [] : [this.#drop(link, "good-bye")];
  }

  /** What is due at `now`. */
  handleTimeout(now: Instant): MonitorEffect[] {
    const due = this.nextTimeout();
    if (due === undefined || due > now) return [];
    const late = elapsed(due, now);
    if (late > lateAfter) this.#forgive(late, now);
    const effects: MonitorEffect[] = [];
    for (const link of [...this.#links.values()]) effects.push(...this.#advance(link, now));
    return effects;
  }

  /** When `handleTimeout` wants to be called. */
  nextTimeout(): Instant | undefined {
    let next: Instant | undefined;
    for (const link of this.#links.values()) next = earliest(next, dueAt(link));
    return next;
  }

  /** One link, or `undefined` if it is not monitored. */
  snapshot(id: NodeId): LinkHealth | undefined {
    const link = this.#links.get(id);
    if (link === undefined) return undefined;
    const rtt = link.roundTrip.smoothed;
    return {
      id,
      state: link.restartingUntil !== undefined
        ? "restarting"
        : link.suspected
        ? "suspect"
        : "steady",
      ...(rtt === undefined ? {} : { rtt }),
      loss: link.loss.recent,
      lastHeard: link.lastHeard,
      via: link.via,
    };
  }

  /** What was ignored or dropped, by reason. */
  counts(): Readonly<Record<string, number>> {
    return this.#counters.snapshot();
  }

  #advance(link: Link, now: Instant): MonitorEffect[] {
    const effects: MonitorEffect[] = [];
    if (link.restartingUntil !== undefined && link.restartingUntil <= now) {
      // The old process may have answered until it ended: only an answer of late counts.
      if (elapsed(link.lastHeard, now) > 2 * link.interval) {
        return [this.#drop(link, "restart overdue")];
      }
      link.restartingUntil = undefined;
    }
    if (link.awaitedUntil !== undefined && link.awaitedUntil <= now) {
      link.awaitedUntil = undefined;
      effects.push(...this.#suspect(link, now));
    }
    if (link.round !== undefined) {
      effects.push(...this.#advanceRound(link, link.round, now));
    } else if (link.awaitedUntil === undefined && link.nextProbe <= now) {
      effects.push(this.#probe(link, now));
      if (link.restartingUntil === undefined) {
        link.awaitedUntil = later(now, link.roundTrip.patience(missAfterMin, missAfterMax));
      } else {
        this.#settleAttempts(link);
      }
      link.nextProbe = this.#followingProbe(link, now);
      link.lastProbe = now;
    }
    return effects;
  }

  #suspect(link: Link, now: Instant): MonitorEffect[] {
    const triesMax = triesFor(link.loss);
    const misses = this.#expire(link, milliseconds(0), now);
    link.round = {
      tries: 0,
      triesMax,
      misses,
      nextTry: now,
      triesOver: false,
      authentication: "running",
      authenticationDeadline: later(now, authenticationWait),
    };
    link.suspected = true;
    return [{ kind: "suspect", id: link.id }, { kind: "authenticate", id: link.id }];
  }

  #advanceRound(link: Link, round: Round, now: Instant): MonitorEffect[] {
    const effects: MonitorEffect[] = [];
    const patience = link.roundTrip.patience(tryInterval, missAfterMax);
    round.misses += this.#expire(link, patience, now);
    if (!round.triesOver && round.nextTry <= now) {
      if (round.tries < round.triesMax) {
        round.tries += 1;
        effects.push(this.#probe(link, now));
        round.nextTry = later(now, round.tries < round.triesMax ? tryInterval : patience);
      } else {
        round.triesOver = true;
      }
    }
    if (round.authentication === "running" && round.authenticationDeadline <= now) {
      round.authentication = "failed";
    }
    effects.push(...this.#judge(link, round, now));
    return effects;
  }

  #judge(link: Link, round: Round, now: Instant): MonitorEffect[] {
    if (round.authentication === "refused where proven" && round.misses >= refusalMissesMin) {
      return [this.#drop(link, "refused")];
    }
    if (!round.triesOver || round.authentication === "running") return [];
    if (round.authentication !== "finished") return [this.#drop(link, "silent")];
    link.tcpOnlyRounds += 1;
    if (link.tcpOnlyRounds >= tcpOnlyRoundsMax) return [this.#drop(link, "udp blocked")];
    return this.#endRound(link, now);
  }

  #answered(link: Link, now: Instant): MonitorEffect[] {
    link.lastHeard = now;
    link.forgivenGaps = 0;
    link.tcpOnlyRounds = 0;
    link.awaitedUntil = undefined;
    const cameFromTcp = link.via === "tcp";
    link.via = "udp";
    const effects = this.#endRound(link, now);
    if (cameFromTcp && effects.length === 0) {
      effects.push({ kind: "alive", id: link.id, via: "udp" });
    }
    return effects;
  }

  #finished(link: Link, address: SocketAddress | undefined, now: Instant): MonitorEffect[] {
    link.lastHeard = now;
    link.forgivenGaps = 0;
    link.restartingUntil = undefined;
    if (address !== undefined) link.provenAt.set(formatSocketAddress(address), now);
    if (link.round === undefined) return [];
    // The link lives; the UDP tries go on quietly, to learn whether datagrams still pass.
    link.round.authentication = "finished";
    const effects: MonitorEffect[] = [];
    if (link.suspected || link.via !== "tcp") {
      effects.push({ kind: "alive", id: link.id, via: "tcp" });
    }
    link.suspected = false;
    link.via = "tcp";
    effects.push(...this.#judge(link, link.round, now));
    return effects;
  }

  #endRound(link: Link, now: Instant): MonitorEffect[] {
    link.round = undefined;
    while (link.nextProbe <= now) link.nextProbe = later(link.nextProbe, link.interval);
    if (!link.suspected) return [];
    link.suspected = false;
    return [{ kind: "alive", id: link.id, via: link.via }];
  }

  #probe(link: Link, now: Instant): MonitorEffect {
    const attempt = link.nextAttempt;
    link.nextAttempt += 1;
    link.attempts.set(attempt, { sentAt: now, settled: false });
    return { kind: "probe", id: link.id, attempt };
  }

  #drop(link: Link, why: LinkDropReason): MonitorEffect {
    this.#links.delete(link.id);
    this.#counters.count(why);
    return { kind: "drop", id: link.id, why };
  }

  #ignore(reason: string): MonitorEffect[] {
    this.#counters.count(reason);
    return [];
  }

  /** Counts as lost what waited for `patience` or longer; returns how many. */
  #expire(link: Link, patience: Duration, now: Instant): number {
    let lost = 0;
    for (const attempt of link.attempts.values()) {
      if (attempt.settled || later(attempt.sentAt, patience) > now) continue;
      attempt.settled = true;
      link.loss.sample(true);
      lost += 1;
    }
    return lost;
  }

  #settleAttempts(link: Link): void {
    for (const attempt of link.attempts.values()) attempt.settled = true;
  }

  /**
   * We were not running when we should have been. Answers may wait unread, so what fell into the gap
   * is asked again instead of counted – but not for ever, or a busy node would never notice a death.
   */
  #forgive(gap: Duration, now: Instant): void {
    this.#counters.count("ran late");
    for (const link of this.#links.values()) {
      const waiting = link.awaitedUntil !== undefined || link.round !== undefined;
      if (!waiting || link.forgivenGaps >= forgivenGapsMax) continue;
      link.forgivenGaps += 1;
      if (link.awaitedUntil !== undefined && link.awaitedUntil <= now) {
        link.awaitedUntil = later(now, link.roundTrip.patience(missAfterMin, missAfterMax));
      }
      const round = link.round;
      if (round === undefined) continue;
      for (const attempt of link.attempts.values()) {
        if (attempt.settled) continue;
        attempt.settled = true;
        round.tries = Math.max(0, round.tries - 1);
      }
      round.authenticationDeadline = later(round.authenticationDeadline, gap);
    }
  }

  /** The middle of the widest gap between the probes of one interval. */
  #freePhase(now: Instant): Instant {
    const phases = [...this.#links.values()]
      .map((link) => (((link.nextProbe - now) % probeInterval) + probeInterval) % probeInterval)
      .sort((a, b) => a - b);
    const first = phases[0];
    if (first === undefined) return later(now, scaled(probeInterval, this.#prng.between(0.5, 1)));
    let middle = 0;
    let widest = -1;
    for (const [i, phase] of phases.entries()) {
      const gap = (phases[i + 1] ?? first + probeInterval) - phase;
      if (gap > widest) {
        widest = gap;
        middle = (phase + gap / 2) % probeInterval;
      }
    }
    return later(now, milliseconds(middle));
  }

  /** One interval on, moved towards the middle between the probes before and after it. */
  #followingProbe(link: Link, now: Instant): Instant {
    let before: number | undefined;
    let after: number | undefined;
    for (const other of this.#links.values()) {
      if (other === link) continue;
      before = Math.min(before ?? Infinity, now - other.lastProbe);
      after = Math.min(after ?? Infinity, Math.max(0, other.nextProbe - now));
    }
    if (before === undefined || after === undefined) return later(now, link.interval);
    const most = link.interval * spreadStepMax;
    const step = Math.max(-most, Math.min(most, spreadGain * (after - before) / 2));
    return later(now, milliseconds(link.interval + step));
  }
}

function dueAt(link: Link): Instant | undefined {
  const round = link.round;
  if (round !== undefined) {
    return earliest(
      round.triesOver ? undefined : round.nextTry,
      round.authentication === "running" ? round.authenticationDeadline : undefined,
    );
  }
  return earliest(link.restartingUntil, link.awaitedUntil ?? link.nextProbe);
}
