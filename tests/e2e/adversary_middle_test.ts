/**
 * Somebody between two honest nodes: one who ends TLS on both sides and passes the exchange on, and
 * one who merely carries bytes, as every network does.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parseSocketAddress } from "../../src/wire/socket_address.ts";
import { attacksOnOnePair, pingAnswers, secluded } from "./adversary/honest_pair.ts";
import { Middle } from "./adversary/middle.ts";
import { Relay } from "./adversary/relay.ts";
import { eventually } from "./eventually.ts";
import { NodeProcess } from "./node_process.ts";

const attack = attacksOnOnePair();

/** An honest node that knows no address but this. */
function newcomer(port: number): Promise<NodeProcess> {
  return NodeProcess.start({
    args: [...secluded, "--name", "c", "--peer", `127.0.0.1:${port}`],
  });
}

async function assertAlone(node: NodeProcess): Promise<void> {
  assertEquals(await node.links(), []);
  assertEquals((await node.nodes()).length, 1);
}

attack(
  "an exchange passed on between two TLS connections is broken off by the one who dialled",
  async ({ pair, stack }) => {
    const middle = stack.use(await Middle.create(pair.a.port, "pass"));
    const c = stack.use(await newcomer(middle.port));
    await eventually("the dialler has tried twice", () => middle.passed.length >= 2);
    // The victim answers the man in the middle as himself; his answer proves nothing to the dialler,
    // who goes no further.
    for (const { path, status } of middle.passed) {
      assertEquals({ path, status }, { path: "/mesh/v1/exchange", status: 200 });
    }
    await assertAlone(c);
  },
);

attack(
  "a confirmation made for one connection is refused on another by the one who was dialled",
  async ({ pair, stack }) => {
    const middle = stack.use(await Middle.create(pair.a.port, "keep"));
    const c = stack.use(await newcomer(middle.port));
    const confirmed = await eventually(
      "a confirmation was passed on",
      () => middle.passed.find(({ path }) => path === "/mesh/v1/confirm"),
    );
    assertEquals(confirmed.status, 403);
    await assertAlone(c);
  },
);

attack(
  "who merely carries bytes carries a link between the true ends, and no datagrams of it",
  async ({ pair, stack, allow }) => {
    const relay = stack.use(new Relay(pair.a.port));
    const c = stack.use(await newcomer(relay.port));
    const { id } = await c.status();
    allow(id);
    await eventually(
      "c is linked with a",
      async () => (await c.links()).some((link) => link.id === pair.a.id),
    );
    assert(relay.carried > 0);
    await eventually("c reaches a", () => pingAnswers(c, pair.a.id));
    await eventually("a reaches c", () => pingAnswers(pair.a.process, id));
    await eventually("all know c", async () => {
      const views = await Promise.all(pair.both.map(({ process }) => process.nodes()));
      return views.every((nodes) => nodes.some((node) => node.id === id));
    });
  },
);

attack(
  "datagrams captured between honest nodes, replayed and reordered, change nothing",
  async ({ pair, stack, allow }) => {
    const relay = stack.use(new Relay(pair.a.port));
    const c = stack.use(await newcomer(relay.port));
    const { id, port } = await c.status();
    allow(id);
    await eventually(
      "c is linked with a",
      async () => (await c.links()).some((link) => link.id === pair.a.id),
    );
    await eventually("datagrams were captured", () => relay.towards.length > 0);
    const addressOfC = parseSocketAddress(`127.0.0.1:${port}`);
    assert(addressOfC !== undefined);
    for (let times = 0; times < 50; times++) await relay.replay(addressOfC);
    await eventually("c reaches a", () => pingAnswers(c, pair.a.id));
    await eventually("a reaches c", () => pingAnswers(pair.a.process, id));
    const down = pair.a.events.filter((event) => event.event === "link-down" && event.id === id);
    assertEquals(down, []);
  },
);
