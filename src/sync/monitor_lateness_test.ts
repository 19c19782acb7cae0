import { assert, assertEquals } from "@std/assert";
import { elapsed, instant, later, milliseconds } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import {
  address,
  answering,
  elsewhere,
  minute,
  MonitorWorld,
  peer,
  silent,
} from "../../tests/fixtures/monitored_peers.ts";
import {
  authenticationWait,
  forgivenGapsMax,
  missAfterMax,
  missAfterMin,
  missAfterUnmeasured,
  probeInterval,
  probeTriesMin,
  selfDoubtMax,
  tryInterval,
} from "./limits.ts";

Deno.test("a process that ran late does not count what fell into the gap", () => {
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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

Deno.test("a node that ran late doubts its own impression of the next that is silent", () => {
  const gapAfter = (lateness: number) => {
    const world = new MonitorWorld();
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

Deno.test("a node that nobody answers doubts itself first, and one that only one fails to answer does not", () => {
  const ids = Array.from({ length: 4 }, (_, i) => fakeNodeId(i + 1));
  /** How long after its suspicion each was dropped, when all of `dead` fall silent. */
  const dropping = (dead: readonly NodeId[]): number[] => {
    const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
  world.allowed = 12_000;
  world.link(peer, { answers: () => 11_000, tcp: "failed" });
  world.runFor(10 * minute);
  assertEquals(world.drops(), []);
  assertEquals(world.times("suspect"), []);
  assertEquals(world.monitor.counts(), {});
});

Deno.test("a node that learns of its lateness while it waits does not suspect", () => {
  const world = new MonitorWorld();
  world.link(peer, { answers: () => 3_000, tcp: "failed" });
  const probes = () => world.times("probe").length;
  const begun = probes();
  while (probes() === begun) world.runPastDeadline(0);
  world.allowed = 4_000;
  world.runFor(4_000);
  assertEquals(world.times("suspect"), []);
});

Deno.test("a node that runs late authenticates after its tries, not beside them, and notices a death", () => {
  const world = new MonitorWorld();
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

Deno.test("a node that runs late sees at once that a port refuses, and authenticates nobody for it", () => {
  const lateFor = (knocksAt: typeof address) => {
    const world = new MonitorWorld();
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
  const world = new MonitorWorld();
  world.link(peer, answering());
  world.runFor(minute);
  assertEquals(world.monitor.handleRefused(peer, address, world.now), []);
  assertEquals(world.monitor.handleRefused(fakeNodeId(9), address, world.now), []);
});

Deno.test("what was refused does not outweigh an exchange that was finished", () => {
  const world = new MonitorWorld();
  world.allowed = 1_000;
  world.link(peer, answering());
  world.runFor(minute);
  world.peers.set(peer, silent("hangs"));
  while (world.times("knock").length === 0) world.runPastDeadline(0);
  world.take(world.monitor.handleLink(peer, address, world.now));
  world.take(world.monitor.handleRefused(peer, address, world.now));
  assertEquals(world.drops(), []);
});

Deno.test("round trips that a node's own lateness made long do not make it wait once it is in time", () => {
  const repeatedAfter = (allowed: number) => {
    const world = new MonitorWorld();
    world.allowed = allowed;
    world.link(peer, answering(700));
    world.runFor(minute);
    world.allowed = 0;
    world.peers.set(peer, silent("hangs"));
    world.seen.length = 0;
    while (world.times("suspect").length === 0) world.runPastDeadline(0);
    const [first, second] = world.times("probe");
    assert(first !== undefined && second !== undefined);
    return second - first;
  };
  assertEquals(repeatedAfter(1_000), missAfterUnmeasured);
  // What the lateness is too small for is the link's own.
  assert(repeatedAfter(600) >= 700);
});
