/**
 * One link under watch: regular probes, each repeated once, and a round of suspicion where both were
 * missed.
 * PROTOCOL §8.5.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import {
  type Duration,
  earliest,
  elapsed,
  type Instant,
  instant,
  later,
  milliseconds,
} from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { formatSocketAddress, type SocketAddress } from "../wire/socket_address.ts";
import {
  answerAgeMax,
  connectedWait,
  forgivenGapsMax,
  indirectRoundsMax,
  mappedProbeInterval,
  missAfterMax,
  missAfterMin,
  missAfterUnmeasured,
  probeInterval,
  provenAddressesMax,
  provenAddressLifetime,
  repeatAfterMin,
  restartingLinkLifetime,
  restingProbeInterval,
  tryInterval,
  watcherSilence,
  watchHandover,
} from "./limits.ts";
import { RoundTripEstimate, triesAloneFor, triesFor } from "./link_quality.ts";
import type {
  AuthenticationOutcome,
  LinkDropReason,
  LinkHealth,
  LinkPath,
  LinkRole,
  MonitorEffect,
} from "./monitor_effects.ts";
import { OpenProbes } from "./open_probes.ts";
import { followingProbe, type ProbeTimes } from "./probe_spread.ts";
import type { SelfTrust } from "./self_trust.ts";
import { SuspicionRound } from "./suspicion_round.ts";

/** What an answer is waited for, before anything is suspected. */
interface AwaitedProbe {
  readonly sentAt: Instant;
  /** Whether it was the second one: the first may only have been lost. */
  readonly isRepeated: boolean;
  readonly until: Instant;
}

/** Why an answer is ignored. */
export type IgnoredAnswer = "answer to no probe" | "answer too late";

/** The machine of one link. After an effect `drop` it is over and not called again. */
export class MonitoredLink implements ProbeTimes {
  readonly id: NodeId;
  readonly #trust: SelfTrust;
  #role: LinkRole | undefined;
  /** One of this watcher's turns; the others lie whole intervals from it. */
  #turn: Instant | undefined;
  /** Until when it is watched although others do so now. */
  #handoverUntil: Instant | undefined;
  /** Whether only this end can dial, and probes keep the way open. */
  #isMapped = false;
  #nextProbe: Instant;
  #lastProbe: Instant;
  #lastHeard: Instant;
  /** When the peer last asked something. No answer: it says nothing of the way there. */
  #lastAsked: Instant;
  readonly #probes = new OpenProbes();
  /** The regular probe under way, or its repetition, and how long an answer may take. */
  #awaited: AwaitedProbe | undefined;
  #round: SuspicionRound | undefined;
  #restartingUntil: Instant | undefined;
  #suspected = false;
  #via: LinkPath = "udp";
  /** Rounds in a row in which it answered, but no datagram came from it. */
  #indirectRounds = 0;
  #forgivenGaps = 0;
  readonly #roundTrip = new RoundTripEstimate();
  /** Somebody lost the peer: the probe under way, or the next one, is for that. */
  #isReported = false;
  /** A proven port refused, before anybody was suspected. */
  #isRefused = false;
  /** When an exchange was last finished, by address. */
  readonly #provenAt = new BoundedMap<string, Instant>(provenAddressesMax);

  /** @param trust Of this node in itself; one for all links. */
  constructor(id: NodeId, trust: SelfTrust, firstProbe: Instant, now: Instant) {
    this.id = id;
    this.#trust = trust;
    this.#nextProbe = firstProbe;
    this.#lastProbe = now;
    this.#lastHeard = now;
    this.#lastAsked = now;
  }

  /** Between two probes. A room of its own for those to come: links that carry streams. */
  get interval(): Duration {
    const isDoubtful = this.#via !== "udp" || this.#restartingUntil !== undefined;
    if (isDoubtful || this.#isWatching) return probeInterval;
    return this.#isMapped ? mappedProbeInterval : restingProbeInterval;
  }

  /** Who does not know who watches the peer had better do it. */
  get #isWatching(): boolean {
    return this.#role?.watches !== false || this.#handoverUntil !== undefined;
  }

  get nextProbe(): Instant {
    return this.#nextProbe;
  }

  get lastProbe(): Instant {
    return this.#lastProbe;
  }

  /** Whether an answer is awaited. */
  get isWaiting(): boolean {
    return this.#awaited !== undefined || this.isSuspect;
  }

  /** Whether a round of suspicion is under way. */
  get isSuspect(): boolean {
    return this.#round !== undefined;
  }

  /** Whether it is probed for a report already. */
  get isReported(): boolean {
    return this.#isReported;
  }

  /** What both ends' records show of the link now; `undefined`: they do not both name it. */
  handleRole(role: LinkRole | undefined, turn: Instant | undefined, now: Instant): void {
    const before = this.#role;
    this.#turn = turn;
    if (turn !== undefined) this.#nextProbe = turn;
    this.#role = role;
    if (role?.watches !== false) this.#handoverUntil = undefined;
    else if (before?.watches === true) this.#handoverUntil = later(now, watchHandover);
    // A watcher that is new has its time from now on.
    if (role?.isWatched === true && before?.isWatched !== true) this.#lastAsked = now;
  }

  /** The peer asked something: it lives and reaches this node, whether or not the reverse holds. */
  handleAsked(now: Instant): void {
    this.#lastAsked = now;
  }

  /** Whether it is probed only to keep the way through an address translator open. */
  get isMapped(): boolean {
    return this.#isMapped;
  }

  /** Only this end can dial. */
  keepOpen(): void {
    this.#isMapped = true;
  }

  /** Whether the time is over in which it was watched although others do so. */
  endHandover(now: Instant): boolean {
    if (this.#handoverUntil === undefined || this.#handoverUntil > now) return false;
    this.#handoverUntil = undefined;
    return true;
  }

  /** The next regular probe is at that time. */
  probeAt(time: Instant): void {
    this.#nextProbe = time;
  }

  /** Probes no later than this. */
  probeBy(soon: Instant): void {
    if (soon < this.#nextProbe) this.#nextProbe = soon;
  }

  /** Another node says that it lost the peer: it is probed by then, and no time is lost over it. */
  handleReportedLoss(soon: Instant, now: Instant): void {
    this.#isReported = true;
    if (this.#awaited === undefined) return this.probeBy(soon);
    const { sentAt, isRepeated } = this.#awaited;
    this.#awaited = this.#await(sentAt, isRepeated, now);
  }

  /** An exchange was finished; at `address`, unless the peer dialled. */
  handleFinished(address: SocketAddress | undefined, now: Instant): MonitorEffect[] {
    this.#lastHeard = now;
    this.#forgivenGaps = 0;
    this.#restartingUntil = undefined;
    if (address !== undefined) this.#provenAt.set(formatSocketAddress(address), now);
    this.#isReported = false;
    this.#isRefused = false;
    if (this.#round === undefined) return [];
    this.#round.handleAuthentication("finished");
    return this.#aliveIndirectly(this.#round, "tcp", now);
  }

  /** The peer answered, sealed for this node, through somebody else. */
  handleRelayed(now: Instant): MonitorEffect[] {
    if (this.#round === undefined) return [];
    this.#lastHeard = now;
    this.#forgivenGaps = 0;
    this.#round.handleRelayed();
    // An exchange says more: it came straight from the peer.
    return this.#via === "tcp" && !this.#suspected
      ? []
      : this.#aliveIndirectly(this.#round, "others", now);
  }

  /** The peer lives; the UDP tries go on quietly, to learn whether datagrams still pass. */
  #aliveIndirectly(round: SuspicionRound, via: LinkPath, now: Instant): MonitorEffect[] {
    const effects: MonitorEffect[] = [];
    if (this.#suspected || this.#via !== via) effects.push({ kind: "alive", id: this.id, via });
    this.#suspected = false;
    this.#via = via;
    return [...effects, ...this.#judge(round, now)];
  }

  /** The probe `attempt` was answered. */
  handleAnswer(attempt: number, now: Instant): MonitorEffect[] | IgnoredAnswer {
    const probe = this.#probes.take(attempt);
    if (probe === undefined) return "answer to no probe";
    const rtt = elapsed(probe.sentAt, now);
    // What was answered so long ago says nothing about now.
    if (rtt > this.#trust.patience(answerAgeMax, now)) return "answer too late";
    this.#roundTrip.sample(rtt, this.#trust.allowance(now));
    if (this.#roundTrip.takeRemeasuring()) this.probeBy(later(now, probeInterval));
    if (!probe.settled) this.#probes.loss.sample(false);
    // What was asked before and should have been answered by now is lost.
    this.#probes.expire(this.#patience(repeatAfterMin, now), now);
    return this.handleHeard(now);
  }

  /** A datagram was answered. */
  handleHeard(now: Instant): MonitorEffect[] {
    this.#trust.handleAnswer();
    this.#lastHeard = now;
    this.#forgivenGaps = 0;
    this.#indirectRounds = 0;
    this.#awaited = undefined;
    this.#isReported = false;
    this.#isRefused = false;
    const wasIndirect = this.#via !== "udp";
    this.#via = "udp";
    const effects = this.#endRound(now);
    if (wasIndirect && effects.length === 0) {
      effects.push({ kind: "alive", id: this.id, via: "udp" });
    }
    return effects;
  }

  /** The peer's machine took the connection of an authentication. */
  handleConnected(now: Instant): void {
    this.#round?.handleConnected(this.#trust.patience(connectedWait, now), now);
  }

  /** An authentication that this node began has ended. */
  handleAuthentication(outcome: AuthenticationOutcome, now: Instant): MonitorEffect[] {
    if (outcome.kind === "finished") return this.handleFinished(outcome.address, now);
    const round = this.#round;
    if (round === undefined || !round.isAuthenticating) return [];
    if (outcome.kind === "refused" && this.#isProven(outcome.address, now)) {
      return this.handleRefused(outcome.address, now);
    }
    round.handleAuthentication("failed");
    return this.#judge(round, now);
  }

  /** The port refused a connection. Where that proves nothing the round goes on as it was. */
  handleRefused(address: SocketAddress, now: Instant): MonitorEffect[] {
    if (!this.#isProven(address, now)) return [];
    const round = this.#round;
    this.#isRefused = round === undefined && this.#awaited !== undefined;
    if (round === undefined || round.isAuthenticated) return [];
    round.handleAuthentication("refused where proven");
    return this.#judge(round, now);
  }

  /** The peer said that it will be back: once per exchange the link is kept that long. */
  handleRestarting(now: Instant): MonitorEffect[] {
    if (this.#restartingUntil !== undefined) return [];
    this.#restartingUntil = later(now, restartingLinkLifetime);
    this.#lastHeard = now;
    this.#probes.forgive();
    this.#awaited = undefined;
    this.probeBy(later(now, probeInterval));
    return this.#endRound(now);
  }

  /** The link is over. */
  drop(why: LinkDropReason): MonitorEffect {
    return { kind: "drop", id: this.id, why };
  }

  /** What is due at `now`; `links` are all that are probed beside this one, itself included. */
  handleTimeout(links: Iterable<ProbeTimes>, now: Instant): MonitorEffect[] {
    const effects: MonitorEffect[] = [];
    if (this.#restartingUntil !== undefined && this.#restartingUntil <= now) {
      // The old process may have answered until it ended: only an answer of late counts.
      if (elapsed(this.#lastHeard, now) > 2 * probeInterval) return [this.drop("restart overdue")];
      this.#restartingUntil = undefined;
    }
    if (this.#awaited !== undefined && this.#awaited.until <= now) {
      effects.push(...this.#miss(this.#awaited, now));
    }
    if (this.#round !== undefined) {
      effects.push(...this.#advanceRound(this.#round, now));
    } else if (this.#awaited === undefined && this.#dueAt() <= now) {
      effects.push(this.#probe(now));
      if (this.#restartingUntil === undefined) this.#awaited = this.#await(now, false, now);
      else this.#probes.forgive();
      this.#nextProbe = this.#turnAfter(now) ?? followingProbe(this, links, now);
      this.#lastProbe = now;
    }
    return effects;
  }

  /** This watcher's first turn that is not so near that it is this one. */
  #turnAfter(now: Instant): Instant | undefined {
    if (this.#turn === undefined || this.interval !== probeInterval) return undefined;
    const turns = Math.ceil((now + probeInterval / 2 - this.#turn) / probeInterval);
    return later(this.#turn, milliseconds(turns * probeInterval));
  }

  /** When `handleTimeout` wants to be called. */
  nextTimeout(): Instant | undefined {
    if (this.#round !== undefined) return this.#round.nextTimeout();
    const due = this.#awaited?.until ?? this.#dueAt();
    // Asked of each link whenever the node's next deadline is looked for: mostly there is nothing else.
    return this.#restartingUntil === undefined && this.#handoverUntil === undefined
      ? due
      : earliest(this.#restartingUntil, this.#handoverUntil, due);
  }

  /** When the next probe is due: at its turn, or because a watcher of ours has fallen silent. */
  #dueAt(): Instant {
    if (this.#role?.isWatched !== true || this.#restartingUntil !== undefined) {
      return this.#nextProbe;
    }
    const last = Math.max(this.#lastAsked, this.#lastHeard, this.#lastProbe);
    return instant(Math.min(this.#nextProbe, last + watcherSilence));
  }

  /**
   * This node did not run for `gap`. Answers may wait unread, so what fell into it is asked again
   * instead of counted – but not for ever, or a busy node would never notice a death.
   */
  forgive(gap: Duration, now: Instant): void {
    if (!this.isWaiting || this.#forgivenGaps >= forgivenGapsMax) return;
    this.#forgivenGaps += 1;
    if (this.#awaited !== undefined && this.#awaited.until <= now) {
      this.#awaited = this.#await(now, this.#awaited.isRepeated, now);
    }
    const forgiven = this.#probes.forgive();
    this.#round?.forgive(forgiven, gap);
  }

  /** How the link stands. */
  snapshot(): LinkHealth {
    const rtt = this.#roundTrip.smoothed;
    return {
      id: this.id,
      state: this.#restartingUntil !== undefined
        ? "restarting"
        : this.#suspected
        ? "suspect"
        : "steady",
      ...(rtt === undefined ? {} : { rtt }),
      loss: this.#probes.loss.recent,
      lastHeard: this.#lastHeard,
      via: this.#via,
      ...(this.#role === undefined ? {} : { role: this.#role }),
    };
  }

  /** No answer to the regular probe: it is repeated, once, before anybody is suspected. */
  #miss({ sentAt, isRepeated }: AwaitedProbe, now: Instant): MonitorEffect[] {
    // Meanwhile this node may have learned that it is slow.
    const awaited = this.#await(sentAt, isRepeated, now);
    if (awaited.until > now) {
      this.#awaited = awaited;
      return [];
    }
    this.#awaited = isRepeated ? undefined : this.#await(now, true, now);
    if (isRepeated) return this.#suspect(now);
    const knocks = this.#isReported && this.#trust.isLate(now);
    return [this.#probe(now), ...knocks ? [{ kind: "knock", id: this.id } as const] : []];
  }

  #suspect(now: Instant): MonitorEffect[] {
    const { loss } = this.#probes;
    // The repeated probe was the first try.
    const tries = { most: triesFor(loss) - 1, alone: Math.max(0, triesAloneFor(loss) - 1) };
    const misses = this.#probes.expire(milliseconds(0), now);
    this.#trust.handleMiss(this.id);
    const slowness = this.#trust.patienceFactor;
    const beyond = this.#trust.allowance(now);
    this.#round = new SuspicionRound(tries, misses, { slowness, beyond }, now);
    this.#suspected = true;
    this.#isReported = false;
    const { id } = this;
    if (this.#isRefused) {
      this.#isRefused = false;
      this.#round.handleAuthentication("refused where proven");
      return [{ kind: "suspect", id }];
    }
    const otherwise = this.#askOtherwise(this.#round, now);
    // Whether a port refuses can be seen at once without work for anybody.
    const knocks = otherwise.length === 0 && !this.#round.triesAlone;
    return [{ kind: "suspect", id }, ...knocks ? [{ kind: "knock", id } as const] : otherwise];
  }

  /**
   * Beside the tries, on a lossy link after the first of them, and after all while this node is slow:
   * a slow machine's suspicions are mostly wrong, and an exchange for each is what would keep it slow.
   */
  #askOtherwise(round: SuspicionRound, now: Instant): MonitorEffect[] {
    if (!round.triesOver && (round.triesAlone || this.#trust.isLate(now))) return [];
    if (!round.beginAuthentication(this.#patience(missAfterMin, now), now)) return [];
    const { id } = this;
    return [{ kind: "authenticate", id }, { kind: "relay", id }];
  }

  #advanceRound(round: SuspicionRound, now: Instant): MonitorEffect[] {
    const patience = this.#patience(tryInterval, now);
    const misses = this.#probes.expire(patience, now);
    const tries = round.handleTimeout(misses, patience, now);
    return [
      ...(tries ? [this.#probe(now)] : []),
      ...this.#askOtherwise(round, now),
      ...this.#judge(round, now),
    ];
  }

  #judge(round: SuspicionRound, now: Instant): MonitorEffect[] {
    const verdict = round.verdict();
    if (verdict === undefined) return [];
    if (verdict === "silent" || verdict === "refused") return [this.drop(verdict)];
    this.#indirectRounds += 1;
    if (this.#indirectRounds < indirectRoundsMax) return this.#endRound(now);
    return [this.drop(verdict === "tcp only" ? "udp blocked" : "no direct path")];
  }

  #endRound(now: Instant): MonitorEffect[] {
    this.#round = undefined;
    while (this.#nextProbe <= now) this.#nextProbe = later(this.#nextProbe, this.interval);
    // A link that only TCP keeps is looked at again soon, whoever watches it.
    if (this.#via !== "udp") this.probeBy(later(now, probeInterval));
    if (!this.#suspected) return [];
    this.#suspected = false;
    return [{ kind: "alive", id: this.id, via: this.#via }];
  }

  #probe(now: Instant): MonitorEffect {
    return { kind: "probe", id: this.id, attempt: this.#probes.begin(now) };
  }

  #await(sentAt: Instant, isRepeated: boolean, now: Instant): AwaitedProbe {
    const least = this.#roundTrip.smoothed === undefined
      ? missAfterUnmeasured
      : isRepeated
      ? missAfterMin
      : repeatAfterMin;
    // The repetition is but a datagram: only what is concluded from it has to wait.
    const wait = this.#isReported && !isRepeated ? least : this.#patience(least, now);
    return { sentAt, isRepeated, until: later(sentAt, wait) };
  }

  /** How long an answer may take: longer where round trips are, and while this node is slow. */
  #patience(least: Duration, now: Instant): Duration {
    const usual = this.#roundTrip.patience(least, missAfterMax);
    const doubted = Math.min(missAfterMax, usual * this.#trust.patienceFactor);
    return this.#trust.patience(milliseconds(doubted), now);
  }

  #isProven(address: SocketAddress, now: Instant): boolean {
    const provenAt = this.#provenAt.get(formatSocketAddress(address));
    return provenAt !== undefined && elapsed(provenAt, now) <= provenAddressLifetime;
  }
}
