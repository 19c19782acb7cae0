import { assert, assertEquals } from "@std/assert";
import { minutes, seconds } from "../../src/base/instant.ts";
import { isControlFailure } from "../../src/control/mod.ts";
import { World } from "../sim/world.ts";

Deno.test("a node is forgotten only while it is unreachable, and met again as new", async () => {
  using world = new World(51);
  const [a, b, c] = await world.nodes("a", "b", "c");
  assert(a !== undefined && b !== undefined && c !== undefined);
  await world.until("links", () => [a, b, c].every((one) => one.linkNames().length === 2));
  await world.run(seconds(40));
  const early = await a.control.forget("c");
  assert(isControlFailure(early));
  assertEquals(early.error.code, "not-unreachable");

  await world.done("c stops", c.stop());
  await world.run(seconds(5));
  assertEquals(await a.control.forget("c"), { id: c.id, name: "c", forgotten: true });
  assertEquals(a.stateOf(c), undefined);
  // It stays so, though b still holds the record and compares; and over a restart.
  await world.run(minutes(2));
  assertEquals(a.stateOf(c), undefined);
  assertEquals(b.stateOf(c), "unreachable");
  await world.done("a stops", a.stop());
  await a.start();
  await world.until("links", () => a.isLinked(b));
  await world.run(minutes(1));
  assertEquals(a.stateOf(c), undefined);
  assertEquals(a.forgotten.size, 1);
  assert(isControlFailure(await a.control.forget("c")));

  const seen = a.events.length;
  await c.start();
  await world.until("met again", () => a.stateOf(c) === "linked", seconds(5));
  await world.run(seconds(2));
  assertEquals(
    a.events.slice(seen).filter(({ event, id }) => event === "node-new" && id === c.id).length,
    1,
  );
  assertEquals(a.forgotten.size, 0);
  await world.end();
});

Deno.test("a forgotten node that comes back elsewhere is shown as soon as its new record arrives", async () => {
  using world = new World(52);
  const [a, b] = await world.nodes("a", "b");
  const c = await world.machine("c");
  assert(a !== undefined && b !== undefined);
  await c.start();
  await world.until("links", () => [a, b, c].every((one) => one.linkNames().length === 2));
  await world.run(seconds(40));
  await world.done("c stops", c.stop());
  await world.run(seconds(5));
  assert(!isControlFailure(await a.control.forget("c")));
  // From now on a and c do not hear each other; b hears both.
  world.network.cut(a.host, c.host);
  world.network.cut(c.host, a.host);
  await c.start();
  await world.until("seen through b", () => a.stateOf(c) === "reachable", minutes(1));
  await world.run(seconds(1));
  assertEquals(a.forgotten.size, 0);
  await world.end();
});
