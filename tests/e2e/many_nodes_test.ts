import { assertEquals } from "@std/assert";
import { Fleet } from "../../scripts/local_fleet.ts";
import { deadlineMs, eventually } from "./eventually.ts";

/** More than two processors start at once without falling behind. */
const count = 14;

Deno.test({
  name: "fourteen nodes that start together on one busy machine settle, and drop nobody",
  ignore: Deno.build.os !== "linux",
}, async () => {
  const binary = Deno.env.get("MESH_BIN");
  await using fleet = new Fleet({
    prefix: "mesh-many-",
    ...binary === undefined ? {} : { binary },
  });
  const nodes = Array.from({ length: count }, (_, i) => fleet.start(`n${i}`));
  await Promise.all(nodes.map((node) => node.ready()));
  await eventually("all reach all", async () => {
    const states = await Promise.all(nodes.map((node) => node.status()));
    return states.every(({ reachable }) => reachable === count);
  }, 3 * deadlineMs);
  // From here on every link is probed at least twice, by each of its ends.
  const provenBefore = await Promise.all(nodes.map(async (node) => (await node.links()).length));
  const until = Math.max(...(await Promise.all(nodes.map((node) =>
    node.status()
  ))).map((status) => status.upMs)) + 14_000;
  await eventually("two probe intervals are over", async () => {
    const [first] = nodes;
    return first !== undefined && (await first.status()).upMs > until;
  }, 2 * deadlineMs);
  const links = await Promise.all(nodes.map((node) =>
    node.links()
  ));
  for (const [i, held] of links.entries()) {
    assertEquals(held.length >= (provenBefore[i] ?? 0), true, `n${i} lost a link`);
    assertEquals(held.filter(({ via }) => via === "tcp"), []);
  }
});
