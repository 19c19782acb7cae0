import { assert, assertEquals } from "@std/assert";
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

/** A peer that has fallen silent, looked for by a late node because of a report; and its two probes. */
function lateLook(knockRefusedAt: typeof address) {
  const world = new MonitorWorld();
  world.allowed = 1_000;
  world.link(peer, answering());
  world.runFor(minute);
  world.peers.set(peer, silent("hangs"));
  world.seen.length = 0;
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  while (world.times("knock").length === 0) world.runPastDeadline(0);
  world.take(world.monitor.handleRefused(peer, knockRefusedAt, world.now));
  return world;
}

Deno.test("a loss that another reports costs a late node its allowance once, not three times", () => {
  const world = lateLook(address);
  const [first, second] = world.times("probe");
  assert(first !== undefined && second !== undefined);
  assert(second - first < 1_000, "the repetition does not wait for the allowance");
  assertEquals(world.times("knock"), [second]);
  // A refusal alone ends nothing: the second probe has its time as well.
  assertEquals(world.drops(), []);
  world.runPastDeadline(0);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "refused" }]);
  assert(world.now - second >= 1_000);
  assertEquals(world.times("authenticate"), []);
});

Deno.test("an answer to a late node's look outweighs that a port refused, then and later", () => {
  const world = lateLook(address);
  world.take(world.monitor.handleHeard(peer, world.now));
  world.runFor(100);
  assertEquals(world.times("suspect"), []);
  // A later silence is judged anew.
  world.runFor(minute);
  assertEquals(world.drops(), [{ kind: "drop", id: peer, why: "silent" }]);
});

Deno.test("a refusal where no exchange was finished decides nothing in a late node's look", () => {
  const world = lateLook(elsewhere);
  world.runPastDeadline(0);
  assertEquals([world.times("suspect").length, world.drops()], [1, []]);
});

Deno.test("a report while a slow link's answer is awaited has the probe repeated at once", () => {
  const world = new MonitorWorld();
  world.link(peer, answering(400));
  world.runFor(minute);
  world.peers.set(peer, silent("hangs"));
  world.seen.length = 0;
  world.runPastDeadline(200);
  assertEquals(world.times("probe").length, 1);
  const reportedAt = world.now;
  world.monitor.handleReportedLoss(peer, fakeNodeId(2), world.now);
  world.runFor(0);
  assertEquals(world.times("probe")[1], reportedAt);
  // Who is looked for already is not looked for again: the word of others is not used up.
  world.monitor.handleReportedLoss(peer, fakeNodeId(3), world.now);
  world.runPastDeadline(0);
  assertEquals(world.times("suspect").length, 1);
});
