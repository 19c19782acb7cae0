import { assert, assertEquals } from "@std/assert";
import { elapsed, later, milliseconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import {
  answering,
  minute,
  MonitorWorld,
  peer,
  silent,
} from "../../tests/fixtures/monitored_peers.ts";
import {
  answerAgeMax,
  authenticationWait,
  connectedWait,
  indirectRoundsMax,
  missAfterMin,
  missAfterUnmeasured,
  probeInterval,
  probeTriesMin,
  provenAddressLifetime,
  repeatAfterMin,
  tryInterval,
} from "./limits.ts";

Deno.test("silence for ever is suspected, then dropped within a known time", () => {
  for (const tcp of ["failed", "hangs", "refused elsewhere"] as const) {
    const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
  world.link(peer, answering(180));
  world.runFor(10 * minute);
  assertEquals(world.times("suspect"), []);
  // The first one's round trip was not known yet.
  assertEquals(world.times("probe").length, 100);
});

Deno.test("a refusal proves nothing a day after the last exchange there", () => {
  const world = new MonitorWorld();
  world.link(peer, answering());
  world.runFor(provenAddressLifetime);
  world.peers.set(peer, silent("refused"));
  world.runFor(minute);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
});

Deno.test("an exchange over TCP keeps a link whose datagrams are lost for two rounds, not for three", () => {
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
  world.link(peer, { answers: () => 650, tcp: "hangs" });
  world.runPastDeadline(2 * missAfterUnmeasured);
  assertEquals(world.monitor.snapshot(peer)?.state, "suspect");
  world.runFor(200);
  assertEquals(world.monitor.snapshot(peer)?.state, "steady");
  // The slow link's round trip is known now: it is not suspected again.
  world.runFor(10 * minute);
  assertEquals(world.times("suspect").length, 1);

  const other = new MonitorWorld();
  other.link(peer, silent("hangs"));
  other.runPastDeadline(2 * missAfterUnmeasured);
  assertEquals(other.monitor.handleHeard(peer, other.now), [{
    kind: "alive",
    id: peer,
    via: "udp",
  }]);
});

Deno.test("an answer to no probe, or to one long ago, is ignored", () => {
  const world = new MonitorWorld();
  world.link(peer, silent("finished"));
  world.runFor(probeInterval + answerAgeMax);
  assertEquals(world.monitor.handleAnswer(peer, 99, world.now), []);
  assertEquals(world.monitor.handleAnswer(fakeNodeId(9), 1, world.now), []);
  assertEquals(world.monitor.handleAnswer(peer, 1, world.now), []);
  assertEquals(world.monitor.snapshot(peer)?.via, "tcp");
  assertEquals(world.monitor.counts(), { "answer to no probe": 2, "answer too late": 1 });
});

Deno.test("20 % loss each way for 10,000 minutes drops nothing while TCP answers", () => {
  const world = new MonitorWorld();
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

Deno.test("a machine that takes the connection has longer to finish the exchange", () => {
  const world = new MonitorWorld();
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
