import { assertEquals } from "@std/assert";
import { elapsed } from "../base/instant.ts";
import {
  answering,
  minute,
  MonitorWorld,
  peer,
  silent,
} from "../../tests/fixtures/monitored_peers.ts";
import { restartingLinkLifetime } from "./limits.ts";

Deno.test("a peer that says it restarts keeps its link for a minute", () => {
  const world = new MonitorWorld();
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
  const world = new MonitorWorld();
  world.link(peer, silent("failed"));
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.runFor(restartingLinkLifetime - 1_000);
  world.take(world.monitor.handleRestarting(peer, world.now));
  world.runFor(2_000);
  assertEquals(world.drops().length, 1);
});

Deno.test("a peer that comes back from its restart is a link like any other", () => {
  const world = new MonitorWorld();
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
