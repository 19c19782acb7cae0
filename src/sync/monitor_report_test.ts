import { assert, assertEquals } from "@std/assert";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { answering, MonitorWorld, peer, silent } from "../../tests/fixtures/monitored_peers.ts";
import { missAfterUnmeasured } from "./limits.ts";

Deno.test("a loss that another reports is looked into at once, and once per reporter", () => {
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
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

Deno.test("who reported a loss that was one is heeded again when the peer is back", () => {
  const world = new MonitorWorld();
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
