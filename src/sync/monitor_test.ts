import { assert, assertEquals } from "@std/assert";
import { elapsed, milliseconds } from "../base/instant.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import {
  answering,
  gaps,
  minute,
  MonitorWorld,
  peer,
} from "../../tests/fixtures/monitored_peers.ts";
import { probeInterval } from "./limits.ts";

Deno.test("a link that answers is probed every six seconds and nothing else happens", () => {
  const world = new MonitorWorld();
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

Deno.test("a good-bye removes the link at once", () => {
  const world = new MonitorWorld();
  world.link(peer, answering());
  assertEquals(world.monitor.handleLeaving(peer), [{ kind: "drop", id: peer, why: "good-bye" }]);
  assertEquals(world.monitor.snapshot(peer), undefined);
  assertEquals(world.monitor.handleLeaving(peer), []);
});

Deno.test("probes are evenly spread, also after links have come and gone", () => {
  const world = new MonitorWorld();
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
