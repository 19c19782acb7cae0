import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { newAuthorsBurst, newAuthorsRate } from "../../src/node/limits.ts";
import { shedReasons } from "../../src/node/overload.ts";
import { pushRequests } from "../../src/wire/message_packing.ts";
import { recordsOfAbsent } from "../sim/absent.ts";
import { World } from "../sim/world.ts";

Deno.test("a neighbour that pushes a thousand new identities a second is rationed, others are not", async () => {
  using world = new World(81);
  const [victim, pusher, honest] = await world.nodes("victim", "pusher", "honest");
  assert(victim !== undefined && pusher !== undefined && honest !== undefined);
  await world.until("links", () => world.machines.every((one) => one.linkNames().length === 2));
  const madeUp = await recordsOfAbsent(newAuthorsBurst + 1_000);
  const peer = pusher.node.peers.get(victim.id);
  assert(peer !== undefined);
  const begun = victim.clock.monotonic();
  const pushing = (async () => {
    for (const request of pushRequests(madeUp)) await pusher.node.asker.ask(peer, request);
  })();
  await world.done("the pushes", pushing, seconds(60));
  const took = (victim.clock.monotonic() - begun) / 1_000;
  const shed = victim.count(shedReasons.newAuthors);
  assert(shed > 300, `${shed} shed`);
  const most = newAuthorsBurst + newAuthorsRate * (took + 1);
  assert(victim.node.archive.store.size < most + 10, `${victim.node.archive.store.size} held`);
  await world.run(seconds(3));
  assertEquals(victim.warningCodes(), ["overload"]);
  // Its owner reads what was shed, and why.
  assertEquals((await victim.control.status()).counts[shedReasons.newAuthors], shed);
  // Meanwhile what others say goes on, and the links stand.
  const [news] = await recordsOfAbsent(1, 900_000);
  assert(news !== undefined);
  const honestPeer = honest.node.peers.get(victim.id);
  assert(honestPeer !== undefined);
  await world.done("a push", honest.node.asker.ask(honestPeer, { kind: "push", records: [news] }));
  const held = () =>
    [...victim.node.archive.store.records()].some(({ bytes }) => bytes.toHex() === news.toHex());
  assert(held());
  for (const one of world.machines) {
    assertEquals(one.events.filter(({ event }) => event === "link-down"), []);
  }
  await world.run(minutes(2));
  assertEquals(victim.warningCodes(), []);
  await world.end();
});
