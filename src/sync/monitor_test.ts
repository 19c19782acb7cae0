import { assert, assertEquals } from "@std/assert";
import { elapsed, type Instant, instant, later, milliseconds } from "../base/instant.ts";
import { parseIp } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import type { NodeId } from "../wire/node_id.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import {
  answerAgeMax,
  authenticationWait,
  connectedWait,
  forgivenGapsMax,
  indirectRoundsMax,
  mappedLinksMax,
  missAfterMax,
  missAfterMin,
  missAfterUnmeasured,
  probeInterval,
  probeTriesMax,
  probeTriesMin,
  provenAddressLifetime,
  repeatAfterMin,
  restartingLinkLifetime,
  restingProbeInterval,
  selfDoubtMax,
  tryInterval,
  watcherSilence,
  watchHandover,
} from "./limits.ts";
import { LossEstimate, RoundTripEstimate, triesAloneFor, triesFor } from "./link_quality.ts";
import { Monitor, type MonitorEffect } from "./monitor.ts";

const ip = parseIp("192.0.2.1");
assert(ip !== undefined);
const address = socketAddress(ip, 7_411);
const elsewhere = socketAddress(ip, 7_412);
const peer = fakeNodeId(1);

type Outcome = "finished" | "refused" | "refused elsewhere" | "failed" | "hangs";

interface PeerBehaviour {
  /** Round trip of an answered probe, in ms; `undefined`: not answered. */
  answers: () => number | undefined;
  /** How an authentication ends, `tcpMs` after it began. */
  tcp: Outcome;
  tcpMs?: number;
}

interface Seen {
  readonly at: Instant;
  readonly effect: MonitorEffect;
}

/** Plays peers on virtual time: runs the machine at its deadlines and delivers what is answered. */
class World {
  readonly monitor: Monitor;
  readonly seen: Seen[] = [];
  readonly peers = new Map<NodeId, PeerBehaviour>();
  now: Instant = instant(1_000_000);
  /** How late this process runs, in ms, told at each deadline. */
  lateness: () => number = () => 0;
  /** What this process allows beyond the usual for running late, in ms. */
  allowed = 0;
  #deliveries: { readonly at: Instant; readonly run: () => MonitorEffect[] }[] = [];

  constructor(seed = 1) {
    this.monitor = new Monitor({
      prng: new Prng([seed, 2, 3, 4]),
      allowance: () => milliseconds(this.allowed),
    });
  }

  link(id: NodeId, behaviour: PeerBehaviour): void {
    this.peers.set(id, behaviour);
    this.take(this.monitor.handleLink(id, address, this.now));
  }

  take(effects: readonly MonitorEffect[]): void {
    for (const effect of effects) {
      this.seen.push({ at: this.now, effect });
      const behaviour = this.peers.get(effect.id);
      if (behaviour === undefined) continue;
      if (effect.kind === "probe") {
        const rtt = behaviour.answers();
        if (rtt === undefined) continue;
        this.#after(rtt, () => this.monitor.handleAnswer(effect.id, effect.attempt, this.now));
      }
      if (effect.kind === "authenticate" && behaviour.tcp !== "hangs") {
        const { tcp } = behaviour;
        this.#after(behaviour.tcpMs ?? 20, () =>
          this.monitor.handleAuthentication(
            effect.id,
            tcp === "failed"
              ? { kind: "failed" }
              : tcp === "refused elsewhere"
              ? { kind: "refused", address: elsewhere }
              : { kind: tcp, address },
            this.now,
          ));
      }
    }
  }

  #after(ms: number, run: () => MonitorEffect[]): void {
    this.#deliveries.push({ at: later(this.now, milliseconds(ms)), run });
    this.#deliveries.sort((x, y) => x.at - y.at);
  }

  /** Until `ms` after the machine's next deadline. */
  runPastDeadline(ms: number): void {
    this.runFor(elapsed(this.now, this.monitor.nextTimeout() ?? this.now) + ms);
  }

  runFor(ms: number): void {
    const began = this.now;
    const end = later(began, milliseconds(ms));
    for (;;) {
      const delivery = this.#deliveries[0];
      const due = this.monitor.nextTimeout();
      // What a late process left undone is done as soon as it is late no more.
      const dueAt = due === undefined ? Infinity : Math.max(began, due + this.lateness());
      if (Math.min(delivery?.at ?? Infinity, dueAt) > end) break;
      if (delivery !== undefined && delivery.at <= dueAt) {
        this.#deliveries.shift();
        if (delivery.at > this.now) this.now = delivery.at;
        this.take(delivery.run());
      } else {
        assert(dueAt >= this.now, "a deadline lies in the past after it was handled");
        this.now = instant(dueAt);
        this.take(this.monitor.handleTimeout(this.now));
      }
    }
    this.now = end;
  }

  times(kind: MonitorEffect["kind"], id?: NodeId): Instant[] {
    return this.seen.filter(({ effect }) =>
      effect.kind === kind && (id === undefined || effect.id === id)
    ).map(({ at }) => at);
  }

  drops(): readonly MonitorEffect[] {
    return this.seen.flatMap(({ effect }) => effect.kind === "drop" ? [effect] : []);
  }
}

const minute = 60_000;
const answering = (rtt = 5): PeerBehaviour => ({ answers: () => rtt, tcp: "finished" });
const silent = (tcp: Outcome): PeerBehaviour => ({ answers: () => undefined, tcp });

Deno.test("a link that answers is probed every six seconds and nothing else happens", () => {
  const world = new World();
  world.link(peer, answering(5));
  world.runFor(10 * minute);
  assertEquals(new Set(world.seen.map(({ effect }) => effect.kind)), new Set(["probe"] as const));
  assertEquals(world.times("probe").length, 100);
  const health = world.monitor.snapshot(peer);
  assert(health !== undefined);
  assertEquals([health.state, health.via, health.loss, health.rtt], [
    "steady",
    "udp",
    0,
    milliseconds(5),
  ]);
  assert(elapsed(health.lastHeard, world.now) <= probeInterval);
});

Deno.test("silence for ever is suspected, then dropped within a known time", () => {
  for (const tcp of ["failed", "hangs", "refused elsewhere"] as const) {
    const world = new World();
    world.link(peer, answering());
    world.runFor(minute);
    world.peers.set(peer, silent(tcp));
    const diedAt = world.now;
    world.runFor(minute);
    const [suspectedAt] = world.times("suspect");
    const [droppedAt] = world.times("drop");
    assert(suspectedAt !== undefined && droppedAt !== undefined);
    assert(elapsed(diedAt, suspectedAt) <= probeInterval * 1.1 + repeatAfterMin + missAfterMin);
    const tries = (probeTriesMin - 1) * tryInterval;
    const round = Math.max(tries, authenticationWait + 2 * missAfterMin);
    assert(elapsed(suspectedAt, droppedAt) <= round, tcp);
    assert(elapsed(suspectedAt, droppedAt) >= tries, tcp);
    assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
    assertEquals(world.monitor.snapshot(peer), undefined);
    assertEquals(world.monitor.nextTimeout(), undefined);
    const unanswered = world.times("probe").filter((at) => at >= diedAt);
    assertEquals(unanswered.length, 1 + probeTriesMin);
  }
});

Deno.test("a refusal where an exchange was finished ends it at once, for two probes are unanswered", () => {
  const world = new World();
  world.link(peer, answering());
  world.runFor(minute);
  world.peers.set(peer, { ...silent("refused"), tcpMs: 7 });
  const diedAt = world.now;
  world.runFor(minute);
  const [probedAt] = world.times("probe").filter((at) => at >= diedAt);
  const [droppedAt] = world.times("drop");
  assert(probedAt !== undefined && droppedAt !== undefined);
  assertEquals(elapsed(probedAt, droppedAt), milliseconds(repeatAfterMin + missAfterMin + 7));
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "refused" }]);
});

Deno.test("a refusal waits for a second unanswered probe where this process ran late for one", () => {
  const world = new World();
  world.link(peer, silent("refused"));
  const probeAt = world.monitor.nextTimeout();
  assert(probeAt !== undefined);
  assertEquals(world.monitor.handleTimeout(probeAt).length, 1);
  world.now = later(probeAt, milliseconds(1_500));
  world.runFor(minute);
  const [suspectedAt] = world.times("suspect");
  const [droppedAt] = world.times("drop");
  assert(suspectedAt !== undefined && droppedAt !== undefined);
  assert(elapsed(suspectedAt, droppedAt) >= tryInterval);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "refused" }]);
});

Deno.test("one lost probe is repeated and nobody is suspected", () => {
  const world = new World();
  let lost = 0;
  world.link(peer, { answers: () => lost-- > 0 ? undefined : 5, tcp: "failed" });
  world.runFor(minute);
  const before = world.times("probe").length;
  lost = 1;
  world.runFor(probeInterval);
  assertEquals(world.times("probe").length - before, 2);
  assertEquals(world.times("suspect"), []);
  // It was lost nevertheless, and is not counted again.
  const { loss } = world.monitor.snapshot(peer) ?? {};
  assert(loss !== undefined && loss > 0);
  world.runFor(probeInterval);
  assert((world.monitor.snapshot(peer)?.loss ?? 1) < loss);
});

Deno.test("on a slow link the probe is repeated no sooner than an answer is late", () => {
  const world = new World();
  world.link(peer, answering(180));
  world.runFor(10 * minute);
  assertEquals(world.times("suspect"), []);
  // The first one's round trip was not known yet.
  assertEquals(world.times("probe").length, 100);
});

Deno.test("a refusal proves nothing a day after the last exchange there", () => {
  const world = new World();
  world.link(peer, answering());
  world.runFor(provenAddressLifetime);
  world.peers.set(peer, silent("refused"));
  world.runFor(minute);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
});

Deno.test("an exchange over TCP keeps a link whose datagrams are lost for two rounds, not for three", () => {
  const world = new World();
  world.link(peer, silent("finished"));
  const keptUntil = probeInterval * indirectRoundsMax;
  world.runFor(keptUntil - 100);
  assertEquals(world.drops(), []);
  assertEquals(world.monitor.snapshot(peer)?.via, "tcp");
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
  world.runFor(minute);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "udp blocked" }]);
  assertEquals(world.times("authenticate").length, indirectRoundsMax);
});

Deno.test("datagrams that pass again bring the link back to them", () => {
  const world = new World();
  world.link(peer, silent("finished"));
  world.runFor(2.5 * probeInterval);
  world.peers.set(peer, answering());
  world.runFor(minute);
  const last = world.seen.filter(({ effect }) => effect.kind === "alive").at(-1);
  assertEquals(last?.effect, { kind: "alive", id: peer, via: "udp" });
  assertEquals(world.monitor.snapshot(peer)?.via, "udp");
  world.peers.set(peer, silent("finished"));
  world.runFor(2 * probeInterval);
  assertEquals(world.drops(), []);
});

Deno.test("one answer ends a suspicion", () => {
  const world = new World();
  let lost = 3;
  world.link(peer, { answers: () => lost-- > 0 ? undefined : 5, tcp: "hangs" });
  world.runFor(minute);
  const story = world.seen.filter(({ effect }) => effect.kind !== "probe");
  assertEquals(story.map(({ effect }) => effect.kind), [
    "suspect",
    "authenticate",
    "relay",
    "alive",
  ]);
  const [suspectedAt, , , aliveAt] = story.map(({ at }) => at);
  assert(suspectedAt !== undefined && aliveAt !== undefined);
  assertEquals(elapsed(suspectedAt, aliveAt), milliseconds(tryInterval + 5));
});

Deno.test("a late answer, and one to another message, end a suspicion too", () => {
  const world = new World();
  world.link(peer, { answers: () => 650, tcp: "hangs" });
  world.runPastDeadline(2 * missAfterUnmeasured);
  assertEquals(world.monitor.snapshot(peer)?.state, "suspect");
  world.runFor(200);
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
  // The slow link's round trip is known now: it is not suspected again.
  world.runFor(10 * minute);
  assertEquals(world.times("suspect").length, 1);

  const other = new World();
  other.link(peer, silent("hangs"));
  other.runPastDeadline(2 * missAfterUnmeasured);
  assertEquals(other.monitor.handleHeard(peer, other.now), [{
    kind: "alive",
    id: peer,
    via: "udp",
  }]);
});

Deno.test("an answer to no probe, or to one long ago, is ignored", () => {
  const world = new World();
  world.link(peer, silent("finished"));
  world.runFor(probeInterval + answerAgeMax);
  assertEquals(world.monitor.handleAnswer(peer, 99, world.now), []);
  assertEquals(world.monitor.handleAnswer(fakeNodeId(9), 1, world.now), []);
  assertEquals(world.monitor.handleAnswer(peer, 1, world.now), []);
  assertEquals(world.monitor.snapshot(peer)?.via, "tcp");
  assertEquals(world.monitor.counts(), { "answer to no probe": 2, "answer too late": 1 });
});

Deno.test("20 % loss each way for 10,000 minutes drops nothing while TCP answers", () => {
  const world = new World();
  const chance = new Prng([20, 20, 20, 20]);
  world.link(peer, {
    answers: () => chance.unit() < 0.8 && chance.unit() < 0.8 ? 5 : undefined,
    tcp: "finished",
    tcpMs: 3,
  });
  let lossSum = 0;
  for (let i = 0; i < 1_000; i++) {
    world.runFor(10 * minute);
    lossSum += world.monitor.snapshot(peer)?.loss ?? 0;
  }
  assertEquals(world.drops(), []);
  // Of 100,000 probes a third is lost; most are repeated in time, and most suspicions end before an
  // exchange is begun.
  assert(world.times("suspect").length > 10_000 && world.times("suspect").length < 15_000);
  assert(world.times("authenticate").length * 3 < world.times("suspect").length);
  assert(Math.abs(lossSum / 1_000 - 0.36) < 0.03, `measured loss ${lossSum / 1_000}`);
});

Deno.test("a lossy link without TCP gets enough tries", () => {
  const loss = new LossEstimate();
  for (let i = 0; i < 1_000; i++) loss.sample((i * 9) % 25 < 9);
  assert(triesFor(loss) >= 15 && triesFor(loss) <= 18, `${triesFor(loss)} tries at 36 %`);
  assertEquals(triesFor(new LossEstimate()), probeTriesMin);
  assertEquals([triesAloneFor(loss), triesAloneFor(new LossEstimate())], [3, 0]);
  const dead = new LossEstimate();
  for (let i = 0; i < 10_000; i++) dead.sample(true);
  assertEquals(triesFor(dead), probeTriesMax);
  assertEquals(triesAloneFor(dead), probeTriesMin - 1);
});

Deno.test("round trips are smoothed as RFC 6298 says", () => {
  const estimate = new RoundTripEstimate();
  assertEquals(estimate.patience(milliseconds(500), milliseconds(2_000)), milliseconds(500));
  estimate.sample(milliseconds(100));
  // Variation 50: 100 + 4 × 50.
  assertEquals(estimate.patience(milliseconds(1), milliseconds(2_000)), milliseconds(300));
  estimate.sample(milliseconds(180));
  // Variation ¾ × 50 + ¼ × 80 = 57.5, smoothed ⅞ × 100 + ⅛ × 180 = 110.
  assertEquals(estimate.smoothed, milliseconds(110));
  assertEquals(estimate.patience(milliseconds(1), milliseconds(2_000)), milliseconds(340));
});

Deno.test("a peer that says it restarts keeps its link for a minute", () => {
  const world = new World();
  world.link(peer, answering());
  world.runFor(minute);
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.peers.set(peer, silent("failed"));
  const goneAt = world.now;
  world.runFor(restartingLinkLifetime - 1);
  assertEquals(world.monitor.snapshot(peer)?.state, "restarting");
  assertEquals(world.seen.filter(({ effect }) => effect.kind !== "probe"), []);
  world.runFor(minute);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "restart overdue" }]);
  assertEquals(elapsed(goneAt, world.times("drop")[0] ?? goneAt), restartingLinkLifetime);
});

Deno.test("a peer that restarts cannot stay away by saying so again", () => {
  const world = new World();
  world.link(peer, silent("failed"));
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.runFor(restartingLinkLifetime - 1_000);
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.runFor(2_000);
  assertEquals(world.drops().length, 1);
});

Deno.test("a peer that comes back from its restart is a link like any other", () => {
  const world = new World();
  world.link(peer, answering());
  world.runFor(minute);
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.peers.set(peer, silent("failed"));
  world.runFor(10_000);
  world.link(peer, answering());
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
  world.runFor(10 * minute);
  assertEquals(world.drops(), []);
  // And one that never ended after all goes on, too.
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.runFor(2 * restartingLinkLifetime);
  assertEquals(world.drops(), []);
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
});

Deno.test("a good-bye removes the link at once", () => {
  const world = new World();
  world.link(peer, answering());
  assertEquals(world.monitor.handleLeaving(peer), [{ kind: "drop", id: peer, why: "good-bye" }]);
  assertEquals(world.monitor.snapshot(peer), undefined);
  assertEquals(world.monitor.handleLeaving(peer), []);
});

function gaps(times: readonly Instant[]): number[] {
  return times.slice(1).map((time, i) => time - (times[i] ?? time));
}

Deno.test("probes are evenly spread, also after links have come and gone", () => {
  const world = new World();
  const ids = Array.from({ length: 12 }, (_, i) => fakeNodeId(i + 1));
  for (const id of ids) world.link(id, answering());
  // Twelve links proven in one moment are already spread in their first interval.
  world.runFor(probeInterval);
  assert(Math.max(...gaps(world.times("probe"))) <= probeInterval / 3);
  world.runFor(5 * minute);
  // The most uneven that can happen: one half of the circle goes.
  const lastProbe = new Map(ids.map((id) => [id, world.times("probe", id).at(-1) ?? world.now]));
  const inOrder = [...ids].sort((x, y) => (lastProbe.get(x) ?? 0) - (lastProbe.get(y) ?? 0));
  for (const id of inOrder.slice(0, 6)) world.monitor.handleUnlink(id);
  world.runFor(5 * minute);
  const settledAt = world.now;
  world.runFor(minute);
  const evenGap = probeInterval / 6;
  for (const gap of gaps(world.times("probe").filter((at) => at > settledAt))) {
    assert(gap > 0.8 * evenGap && gap < 1.2 * evenGap, `a gap of ${gap} ms`);
  }
  for (const id of ids) {
    for (const gap of gaps(world.times("probe", id))) {
      assert(gap >= 0.9 * probeInterval - 1 && gap <= 1.1 * probeInterval + 1, `${gap} ms`);
    }
  }
});

Deno.test("a process that ran late does not count what fell into the gap", () => {
  const world = new World();
  world.link(peer, { answers: () => 5, tcp: "failed" });
  // The answer to the first probe comes 5 ms later, but is read only after a gap of 3 s.
  const probeAt = world.monitor.nextTimeout();
  assert(probeAt !== undefined);
  const [probe] = world.monitor.handleTimeout(probeAt);
  assert(probe?.kind === "probe");
  const awake = later(probeAt, milliseconds(3_500));
  assertEquals(world.monitor.handleTimeout(awake), []);
  assertEquals(world.monitor.snapshot(peer)?.loss, 0);
  assertEquals(world.monitor.handleAnswer(peer, probe.attempt, later(awake, milliseconds(1))), []);
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
});

Deno.test("a process that always runs late still notices a death", () => {
  const world = new World();
  world.link(peer, silent("hangs"));
  world.lateness = () => 400;
  world.runFor(2 * minute);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
  const [droppedAt] = world.times("drop");
  assert(droppedAt !== undefined);
  const slow = probeInterval + (forgivenGapsMax + 1) * (missAfterMax + 400) +
    probeTriesMin * ((1 + selfDoubtMax) * tryInterval + 400) + missAfterMax;
  assert(elapsed(instant(1_000_000), droppedAt) <= slow + (1 + selfDoubtMax) * authenticationWait);
  assert((world.monitor.counts()["ran late"] ?? 0) > forgivenGapsMax);
});

Deno.test("a loss that another reports is looked into at once, and once per reporter", () => {
  const world = new World();
  world.link(peer, answering());
  const probes = () => world.seen.filter(({ effect }) => effect.kind === "probe").length;
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.runFor(150);
  assertEquals(probes(), 1);
  // The same word again moves nothing; another's does.
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.runFor(150);
  assertEquals(probes(), 1);
  world.monitor.handleReportedLoss(peer, fakeNodeId(3), world.now);
  world.runFor(150);
  assertEquals(probes(), 2);
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
});

Deno.test("a report of who is suspect already is not used up", () => {
  const world = new World();
  world.link(peer, silent("hangs"));
  world.runPastDeadline(2 * missAfterUnmeasured);
  assertEquals(world.monitor.snapshot(peer)?.state, "suspect");
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.peers.set(peer, answering());
  world.runFor(1_000);
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
  const before = world.times("probe").length;
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.runFor(150);
  assertEquals(world.times("probe").length, before + 1);
  assertEquals(world.monitor.counts(), {});
});

Deno.test("a node that ran late doubts its own impression of the next that is silent", () => {
  const gapAfter = (lateness: number) => {
    const world = new World();
    world.link(peer, answering());
    world.runFor(minute);
    world.peers.set(peer, silent("hangs"));
    world.lateness = () => lateness;
    world.runPastDeadline(lateness);
    world.lateness = () => 0;
    world.runFor(minute);
    const [suspect] = world.times("suspect");
    const tries = world.times("probe").filter((at) => at >= (suspect ?? world.now));
    return elapsed(tries[0] ?? world.now, tries[1] ?? world.now);
  };
  assertEquals([gapAfter(0), gapAfter(400)], [tryInterval, 2 * tryInterval].map(milliseconds));
});

Deno.test("who reported a loss that was one is heeded again when the peer is back", () => {
  const world = new World();
  const probes = () => world.times("probe").length;
  for (const tcp of ["failed", "refused"] as const) {
    world.link(peer, silent(tcp));
    world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
    const before = probes();
    world.runFor(3_000);
    assert(probes() > before, "the report is heeded");
    assertEquals(world.monitor.snapshot(peer), undefined);
  }
  // What is over otherwise was no loss that anybody could have known of.
  world.link(peer, answering());
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.runFor(150);
  world.monitor.handleLeaving(peer);
  world.link(peer, answering());
  const before = probes();
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.runFor(150);
  assertEquals(probes(), before);
  assertEquals(world.monitor.counts()["loss reported again"], 1);
});

Deno.test("a machine that takes the connection has longer to finish the exchange", () => {
  const world = new World();
  world.link(peer, { ...silent("hangs") });
  // Nothing answers, but TCP is connected soon after each authentication begins.
  const dropAt = () => world.seen.find(({ effect }) => effect.kind === "drop")?.at;
  const suspectAt = () => world.seen.find(({ effect }) => effect.kind === "suspect")?.at;
  while (suspectAt() === undefined) world.runPastDeadline(0);
  world.monitor.handleConnected(peer, world.now);
  world.runFor(authenticationWait * 2);
  assertEquals(dropAt(), undefined);
  world.runFor(connectedWait);
  assert(dropAt() !== undefined);
});

const watched = { watches: true, turn: 0, isWatched: false };
const resting = { watches: false, turn: 0, isWatched: false };

Deno.test("a link that others watch rests, one that this node watches does not", () => {
  const world = new World();
  const ids = Array.from({ length: 12 }, (_, i) => fakeNodeId(i + 1));
  for (const id of ids) world.link(id, answering());
  world.runFor(minute);
  for (const [i, id] of ids.entries()) {
    world.monitor.handleRole(id, i < 2 ? watched : resting, undefined, world.now);
  }
  const begun = world.now;
  world.runFor(60 * minute);
  const since = (id?: NodeId) => world.times("probe", id).filter((at) => at > begun).length;
  for (const id of ids.slice(0, 2)) assert(Math.abs(since(id) - 600) < 10, `${since(id)} probes`);
  for (const id of ids.slice(2)) {
    assert(Math.abs(since(id) - 12) <= 1, `${since(id)} probes of a resting link in an hour`);
  }
  // Those at rest are spread over their five minutes, too.
  const times = world.times("probe").filter((at) => at > later(begun, milliseconds(30 * minute)));
  const atRest = new Set(ids.slice(2).flatMap((id) => world.times("probe", id)));
  assert(Math.max(...gaps(times.filter((at) => atRest.has(at)))) < 2 * restingProbeInterval / 10);
});

Deno.test("who is told that others watch goes on for a while, and begins at once when it is his turn", () => {
  const world = new World();
  world.link(peer, answering());
  world.monitor.handleRole(peer, watched, undefined, world.now);
  world.runFor(minute);
  const before = world.times("probe").length;
  world.monitor.handleRole(peer, resting, undefined, world.now);
  world.runFor(watchHandover);
  assert(world.times("probe").length - before >= 3);
  const handed = world.times("probe").length;
  world.runFor(2 * minute);
  assert(world.times("probe").length - handed <= 1);
  const rested = world.times("probe").length;
  world.monitor.handleRole(peer, watched, undefined, world.now);
  world.runFor(probeInterval);
  assert(world.times("probe").length > rested);
  const again = world.times("probe").length;
  world.monitor.handleRole(peer, resting, undefined, world.now);
  world.monitor.handleRole(peer, undefined, undefined, world.now);
  world.runFor(minute);
  assert(world.times("probe").length - again >= 9, "who does not know who watches does so");
});

Deno.test("a node asks its watcher when that falls silent, and believes its own answers only", () => {
  const world = new World();
  world.link(peer, answering());
  world.monitor.handleRole(
    peer,
    { watches: false, turn: 0, isWatched: true },
    undefined,
    world.now,
  );
  const asked = (ms: number) => {
    for (let passed = 0; passed < ms; passed += probeInterval) {
      world.monitor.handleAsked(peer, world.now);
      world.runFor(probeInterval);
    }
  };
  asked(2 * minute);
  assertEquals(world.times("probe").length, 0, "the watcher is heard");
  world.runFor(2 * watcherSilence);
  assert(world.times("probe").length >= 2, "it is heard no more");
  // One that asks and does not answer is cut off one way: it is found out when its turn comes.
  world.peers.set(peer, silent("failed"));
  asked(restingProbeInterval * 1.2);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
});

Deno.test("the way through a translator is kept open for four links", () => {
  const world = new World();
  const ids = Array.from({ length: 6 }, (_, i) => fakeNodeId(i + 1));
  for (const id of ids) {
    world.link(id, answering());
    world.monitor.handleRole(id, resting, undefined, world.now);
    world.monitor.handleMapped(id, world.now);
  }
  world.runFor(10 * minute);
  const probes = ids.map((id) => world.times("probe", id).length);
  for (const count of probes.slice(0, mappedLinksMax)) assert(Math.abs(count - 30) <= 2);
  for (const count of probes.slice(mappedLinksMax)) assert(count <= 3);
  assertEquals(world.monitor.counts(), { "mapping not kept open": 2 });
});

Deno.test("a resting link that only TCP keeps is looked at as often as a watched one", () => {
  const world = new World();
  world.link(peer, answering());
  world.monitor.handleRole(peer, resting, undefined, world.now);
  world.peers.set(peer, silent("finished"));
  world.runFor(restingProbeInterval * 1.1 + 4 * probeInterval);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "udp blocked" }]);
});

Deno.test("a node that nobody answers doubts itself first, and one that only one fails to answer does not", () => {
  const ids = Array.from({ length: 4 }, (_, i) => fakeNodeId(i + 1));
  /** How long after its suspicion each was dropped, when all of `dead` fall silent. */
  const dropping = (dead: readonly NodeId[]): number[] => {
    const world = new World();
    for (const id of ids) world.link(id, answering());
    world.runFor(2 * minute);
    for (const id of dead) world.peers.set(id, silent("failed"));
    world.runFor(minute);
    assertEquals(world.drops().length, dead.length);
    return dead.map((id) =>
      elapsed(
        world.times("suspect", id)[0] ?? world.now,
        world.times("drop", id)[0] ?? world.now,
      )
    );
  };
  const [alone] = dropping(ids.slice(0, 1));
  assert(alone !== undefined && alone <= probeTriesMin * tryInterval + missAfterMin);
  const together = dropping(ids);
  assertEquals(together.filter((length) => length <= alone).length, 1, "the first is as any other");
  assert(Math.max(...together) > 2 * alone);
  assert(Math.max(...together) <= (1 + selfDoubtMax) * authenticationWait + missAfterMax);
});

Deno.test("a process that no longer runs late is as quick as ever", () => {
  const world = new World();
  const ids = Array.from({ length: 4 }, (_, i) => fakeNodeId(i + 1));
  for (const id of ids) world.link(id, answering());
  world.runFor(minute);
  world.lateness = () => 400;
  world.runFor(minute);
  world.lateness = () => 0;
  world.runFor(minute);
  assertEquals([world.drops(), world.times("suspect")], [[], []]);
  world.peers.set(peer, silent("failed"));
  world.runFor(minute);
  const [suspect, drop] = [world.times("suspect", peer)[0], world.times("drop", peer)[0]];
  assert(suspect !== undefined && drop !== undefined);
  assert(elapsed(suspect, drop) <= probeTriesMin * tryInterval + missAfterMin);
});

Deno.test("a node that runs late waits as much longer for an answer, also for one that took very long", () => {
  const world = new World();
  world.allowed = 12_000;
  world.link(peer, { answers: () => 11_000, tcp: "failed" });
  world.runFor(10 * minute);
  assertEquals(world.drops(), []);
  assertEquals(world.times("suspect"), []);
  assertEquals(world.monitor.counts(), {});
});

Deno.test("a node that learns of its lateness while it waits does not suspect", () => {
  const world = new World();
  world.link(peer, { answers: () => 3_000, tcp: "failed" });
  const probes = () => world.times("probe").length;
  const begun = probes();
  while (probes() === begun) world.runPastDeadline(0);
  world.allowed = 4_000;
  world.runFor(4_000);
  assertEquals(world.times("suspect"), []);
});

Deno.test("a node that runs late authenticates after its tries, not beside them, and notices a death", () => {
  const world = new World();
  world.allowed = 3_000;
  world.link(peer, silent("failed"));
  world.runFor(minute);
  const [suspectAt] = world.times("suspect");
  const [authenticateAt] = world.times("authenticate");
  assert(suspectAt !== undefined && authenticateAt !== undefined);
  const tries = world.times("probe").filter((at) => at < authenticateAt).length;
  assertEquals(tries, 1 + probeTriesMin);
  assertEquals(world.drops().length, 1);
});

Deno.test("who becomes a watcher of a resting link begins at its turn", () => {
  const world = new World();
  world.link(peer, answering());
  world.monitor.handleRole(peer, resting, undefined, world.now);
  world.runFor(2 * minute);
  const before = world.times("probe").length;
  const turn = later(world.now, milliseconds(4_321));
  world.monitor.handleRole(peer, watched, turn, world.now);
  world.runFor(minute);
  const times = world.times("probe").slice(before);
  assertEquals([times[0], times.length], [turn, 10]);
});

Deno.test("a node that runs late sees at once that a port refuses, and authenticates nobody for it", () => {
  const lateFor = (knocksAt: typeof address) => {
    const world = new World();
    world.allowed = 1_000;
    world.link(peer, answering());
    world.runFor(minute);
    world.peers.set(peer, silent("failed"));
    while (world.times("knock").length === 0) world.runPastDeadline(0);
    const [suspectAt] = world.times("suspect");
    assertEquals(world.times("knock"), [suspectAt]);
    assertEquals(world.times("authenticate"), []);
    world.take(world.monitor.handleRefused(peer, knocksAt, world.now));
    return world;
  };
  const refused = lateFor(address);
  assertEquals(refused.drops(), [{ kind: "drop", id: peer, why: "refused" }]);
  assertEquals(refused.times("authenticate"), []);
  // Elsewhere it proves nothing: all is done as if nobody had knocked.
  const elsewhereRefused = lateFor(elsewhere);
  assertEquals(elsewhereRefused.drops(), []);
  elsewhereRefused.runFor(minute);
  assertEquals(elsewhereRefused.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
  assertEquals(elsewhereRefused.times("authenticate").length, 1);
  // And where nobody is suspected.
  const world = new World();
  world.link(peer, answering());
  world.runFor(minute);
  assertEquals(world.monitor.handleRefused(peer, address, world.now), []);
  assertEquals(world.monitor.handleRefused(fakeNodeId(9), address, world.now), []);
});

Deno.test("what was refused does not outweigh an exchange that was finished", () => {
  const world = new World();
  world.allowed = 1_000;
  world.link(peer, answering());
  world.runFor(minute);
  world.peers.set(peer, silent("hangs"));
  while (world.times("knock").length === 0) world.runPastDeadline(0);
  world.take(world.monitor.handleLink(peer, address, world.now));
  world.take(world.monitor.handleRefused(peer, address, world.now));
  assertEquals(world.drops(), []);
});

Deno.test("a watcher that knows its turn probes at its turn, also after a suspicion", () => {
  const world = new World();
  world.link(peer, answering());
  const turn = later(world.now, milliseconds(1_234));
  world.monitor.handleRole(peer, watched, turn, world.now);
  world.runFor(minute);
  for (const at of world.times("probe")) assertEquals((at - turn) % probeInterval, 0);
  assertEquals(world.times("probe").length, 10);
  let lost = 3;
  world.peers.set(peer, { answers: () => lost-- > 0 ? undefined : 5, tcp: "hangs" });
  world.runFor(minute);
  assertEquals(world.times("suspect").length, 1);
  const after = later(world.now, milliseconds(0));
  world.runFor(minute);
  const since = world.times("probe").filter((at) => at > after);
  for (const at of since) assertEquals((at - turn) % probeInterval, 0);
  assertEquals(since.length, 10);
});
