/**
 * Floods, in a namespace of their own: beacons under made-up ids, a beacon under another's id,
 * half-open connections from many addresses, and datagrams of noise.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { nodeIdFromBytes } from "../../src/wire/node_id.ts";
import { flood } from "./adversary/flood.ts";
import { attacksOnOnePair, HonestPair } from "./adversary/honest_pair.ts";
import { eventually } from "./eventually.ts";
import { Lan, lanMissing } from "./lan.ts";
import { NodeProcess } from "./node_process.ts";

/** Discovered by multicast on loopback, as the beacons that flood them are. */
const seclusion = ["--interface", "lo", "--listen", "0"];
/** Addresses that are no loopback ones, so that limits per source hold. */
const sources = Array.from({ length: 40 }, (_, i) => `10.9.0.${i + 2}`);

let lan: Lan | undefined;
let namespace = "";

const attack = attacksOnOnePair(async () => {
  lan = await Lan.create();
  namespace = await lan.addHost("floor", { plugged: false });
  await lan.on("floor", "ip", "route", "add", "239.0.0.0/8", "dev", "lo");
  for (const source of ["10.9.0.1", ...sources]) {
    await lan.on("floor", "ip", "addr", "add", `${source}/24`, "dev", "lo");
  }
  return await HonestPair.start({ namespace, seclusion, growthBytesMax: 320 * 1024 * 1024 });
}, lanMissing);
Deno.test.afterAll(async () => {
  await lan?.[Symbol.asyncDispose]();
});

function newcomer(name: string): Promise<NodeProcess> {
  return NodeProcess.start({ namespace, args: [...seclusion, "--name", name] });
}

async function linksWithBoth(node: NodeProcess, pair: HonestPair): Promise<void> {
  await eventually("the newcomer is linked with both", async () => {
    const ids = (await node.links()).map(({ id }) => id);
    return pair.both.every(({ id }) => ids.includes(id));
  }, 30_000);
}

attack(
  "a storm of twenty thousand beacons under made-up ids keeps no newcomer from being found",
  async ({ pair, stack, allow }) => {
    const storm = flood(["beacons", "20000"], namespace);
    const during = stack.use(await newcomer("during"));
    allow((await during.status()).id);
    const { sent = 0 } = await storm;
    assert(sent > 15_000, `only ${sent} beacons were sent`);
    await linksWithBoth(during, pair);
    const after = stack.use(await newcomer("after"));
    allow((await after.status()).id);
    await linksWithBoth(after, pair);
  },
);

attack(
  "a beacon with another's id leads to whoever answers there, and to him by his own id",
  async ({ pair, stack, allow }) => {
    const c = stack.use(
      await NodeProcess.start({
        namespace,
        // Silent and deaf on the multicast port: found only by what is claimed of it.
        args: [...seclusion, "--no-multicast", "--name", "b"],
      }),
    );
    const { id, port } = await c.status();
    allow(id);
    const made = nodeIdFromBytes(crypto.getRandomValues(new Uint8Array(32)));
    assert(made !== undefined);
    for (const claimed of [made, pair.b.id]) {
      await flood(["claim", claimed, String(port)], namespace);
    }
    await eventually(
      "a is linked with c",
      async () => (await pair.a.process.links()).some((link) => link.id === id),
      30_000,
    );
    const nodes = await pair.a.process.nodes();
    assertEquals(nodes.filter((node) => node.id === made), []);
    assertEquals(nodes.find((node) => node.id === id)?.state, "linked");
    const links = await pair.a.process.links();
    const toC = links.filter(({ address }) => address.endsWith(`:${port}`));
    assertEquals(toC.map((link) => link.id), [id]);
    // Both say that they are "b"; neither is found by that name.
    const { code } = await pair.a.process.mesh("node", "b");
    assertEquals(code, 4);
  },
);

attack(
  "half-open connections from many addresses wait their turn and keep no newcomer out",
  async ({ pair, stack, allow }) => {
    const to = [String(pair.a.port), "2000", "10.9.0.1", ...sources];
    const flooding = flood(["half-open", ...to], namespace);
    const ended = flooding.then(() => "ended");
    const during = stack.use(await newcomer("during"));
    allow((await during.status()).id);
    await linksWithBoth(during, pair);
    assertEquals(await ended, "ended");
    const { opened = 0 } = await flooding;
    assert(opened > 1_500, `only ${opened} were opened`);
  },
);

attack(
  "a hundred thousand datagrams of noise drown nobody",
  async ({ pair }) => {
    const { sent = 0 } = await flood(["noise", String(pair.a.port), "100000"], namespace);
    assert(sent > 90_000, `only ${sent} were sent`);
  },
);
