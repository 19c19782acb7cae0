import { assert, assertEquals } from "@std/assert";
import { later, milliseconds } from "../base/instant.ts";
import type { NodeId } from "../wire/node_id.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import {
  answering,
  gaps,
  minute,
  MonitorWorld,
  peer,
  silent,
} from "../../tests/fixtures/monitored_peers.ts";
import {
  mappedLinksMax,
  probeInterval,
  remeasuringsMax,
  restingProbeInterval,
  watcherSilence,
  watchHandover,
} from "./limits.ts";

const watched = { watches: true, turn: 0, isWatched: false };
const resting = { watches: false, turn: 0, isWatched: false };

Deno.test("a link that others watch rests, one that this node watches does not", () => {
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
  world.link(peer, answering());
  world.monitor.handleRole(peer, resting, undefined, world.now);
  world.peers.set(peer, silent("finished"));
  world.runFor(restingProbeInterval * 1.1 + 4 * probeInterval);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "udp blocked" }]);
});

Deno.test("who becomes a watcher of a resting link begins at its turn", () => {
  const world = new MonitorWorld();
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

Deno.test("a watcher that knows its turn probes at its turn, also after a suspicion", () => {
  const world = new MonitorWorld();
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

Deno.test("a resting link that seems slow is measured again soon, and a slow one not for ever", () => {
  const probesWithRtts = (...rtts: readonly number[]) => {
    const world = new MonitorWorld();
    const left = [...rtts];
    world.link(peer, { answers: () => left.length > 1 ? left.shift() : left[0], tcp: "finished" });
    world.monitor.handleRole(peer, resting, undefined, world.now);
    world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
    world.runFor(minute);
    return world.times("probe").length;
  };
  assertEquals(probesWithRtts(5), 1);
  assertEquals(probesWithRtts(200, 5), 2);
  assertEquals(probesWithRtts(200), 1 + remeasuringsMax);
});
