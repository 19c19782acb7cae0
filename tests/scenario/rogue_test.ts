import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../src/base/bytes.ts";
import { minutes, seconds } from "../../src/base/instant.ts";
import { openTag } from "../../src/crypto/mod.ts";
import { encodeBeacon } from "../../src/wire/beacon.ts";
import { encodeWhoAreYou } from "../../src/wire/datagram.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import { nodeIdToBytes } from "../../src/wire/node_id.ts";
import { encodeRecordPayload } from "../../src/wire/record.ts";
import { signRecord } from "../../src/crypto/mod.ts";
import { socketAddress } from "../../src/wire/socket_address.ts";
import { plainInfo } from "../sim/record_author.ts";
import { ip } from "../sim/memory_network.ts";
import { Rogue } from "../sim/rogue.ts";
import { type Machine, World, worldBeginsAt } from "../sim/world.ts";

function infoOf(machine: Machine, endpoint: string): Promise<Bytes> {
  return signRecord(
    machine.identity,
    encodeRecordPayload({
      kind: 0,
      subject: new Uint8Array(0),
      serial: worldBeginsAt,
      signedAt: worldBeginsAt,
      body: encodeInfo({
        ...plainInfo("rogue"),
        endpoints: [{ ip: ip(endpoint), port: 7411, scope: "private" }],
      }),
    }),
  );
}

Deno.test("who shows his own record in the exchange is linked; who shows another's is not", async () => {
  using world = new World(31);
  const [victim, friend] = await world.nodes("victim", "friend");
  assert(victim !== undefined && friend !== undefined);
  await world.until("a link", () => victim.isLinked(friend));
  const machine = await world.machine("rogue");
  const rogue = await Rogue.on(machine);
  const endpoint = machine.host.attachments[0]?.ips[0] ?? "";
  const [stolen] = victim.node.archive.store.byAuthor(friend.id);
  assert(stolen !== undefined);

  await world.done("the exchange", rogue.exchange(victim, stolen.bytes));
  await world.run(seconds(5));
  assertEquals(victim.count("exchange: record of another author shown"), 1);
  assertEquals(victim.linkNames(), ["friend"]);
  assertEquals(victim.node.peers.get(machine.id), undefined);
  assertEquals(rogue.heard, 0);

  await world.done("the exchange", rogue.exchange(victim, await infoOf(machine, endpoint)));
  await world.until("a link", () => victim.isLinked(machine), seconds(5));
  assertEquals(friend.isLinked(machine), false);
  await world.end();
});

Deno.test("who answers exchanges and never a datagram gets no link", async () => {
  using world = new World(32);
  const [one, mute] = await world.nodes("one", "mute");
  assert(one !== undefined && mute !== undefined);
  world.network.filter = (bytes, from) => from === mute.host ? undefined : bytes;
  await world.run(minutes(3));
  assertEquals(one.linkNames(), []);
  assertEquals(mute.linkNames(), []);
  assert(one.count("exchange without a datagram's answer") > 0);
  // It is not dialled over and over for that.
  assert(world.streams.dials < 60, `${world.streams.dials} dials`);
  world.network.filter = (bytes) => bytes;
  await world.until("a link", () => one.isLinked(mute) && mute.isLinked(one), minutes(2));
  await world.end();
});

Deno.test("a link over which datagrams stop is kept by exchanges for a while, then given up", async () => {
  using world = new World(33);
  const [one, other] = await world.pair("one", "other");
  world.network.filter = () => undefined;
  await world.until(
    "kept by TCP",
    () => one.node.links.healthOf(other.id)?.via === "tcp",
    seconds(20),
  );
  assert(one.isLinked(other));
  await world.until("given up", () => !one.isLinked(other) && !other.isLinked(one), minutes(2));
  const reasons = one.events.filter(({ event }) => event === "link-down").map(({ reason }) =>
    reason
  );
  assertEquals(reasons, ["udp blocked"]);
  await world.end();
});

Deno.test("a beacon with another's id at one's own address proves one's own key only", async () => {
  using world = new World(34);
  const b = await world.machine("b", { lan: "far" });
  const [a, c] = await world.nodes("a", "c");
  assert(a !== undefined && c !== undefined);
  await world.until("a link", () => a.isLinked(c));
  const beacon = encodeBeacon({
    solicitation: true,
    tag: await openTag(),
    idForm: "plain",
    id: nodeIdToBytes(b.id),
    port: 7411,
    island: new Uint8Array(16),
  });
  const from = c.host.attachments[0]?.ips[0];
  assert(from !== undefined);
  for (let i = 0; i < 20; i++) {
    a.host.hear(beacon, from, "eth0");
    await world.run(seconds(3));
  }
  assertEquals(a.linkNames(), ["c"]);
  assertEquals(a.node.fleet.view.get(b.id), undefined);
  assertEquals(a.warningCodes(), []);
  await world.end();
});

Deno.test("who-are-yous that anybody sends cost an exchange in ten seconds, and no link", async () => {
  using world = new World(35);
  const [one, other] = await world.pair("one", "other");
  await world.run(seconds(40));
  const from = socketAddress(other.host.attachments[0]?.ips[0] ?? ip("10.0.0.1"), 7411);
  const to = socketAddress(one.host.attachments[0]?.ips[0] ?? ip("10.0.0.1"), 7411);
  // A wiretapper echoes the nonce of every request that the node sends, faster than the peer.
  world.network.filter = (bytes, sender) => {
    if (sender === one.host && bytes[1] === 1) {
      one.host.inject(encodeWhoAreYou(bytes.slice(34, 46)), from, to, "eth0");
    }
    return bytes;
  };
  const dials = world.streams.dials;
  await world.run(minutes(2));
  assert(world.streams.dials > dials);
  assert(world.streams.dials - dials <= 13, `${world.streams.dials - dials} exchanges`);
  assertEquals(one.events.filter(({ event }) => event === "link-down"), []);
  world.network.filter = (bytes) => bytes;
  // Stale ones, of nobody's nonce, cost nothing at all.
  const after = world.streams.dials;
  for (let i = 0; i < 100; i++) {
    one.host.inject(encodeWhoAreYou(new Uint8Array(12).fill(i)), from, to, "eth0");
  }
  await world.run(minutes(1));
  assertEquals(world.streams.dials, after);
  await world.end();
});

Deno.test("datagrams that are sent twice, turned, or cut short change nothing", async () => {
  using world = new World(36);
  const machines = await world.nodes("a", "b", "c");
  world.network.filter = (bytes, from, to) => {
    const address = (host: typeof from) =>
      socketAddress(host.attachments[0]?.ips[0] ?? ip("10.0.0.1"), 7411);
    const copy = bytes.slice();
    copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1;
    to.inject(copy, address(from), address(to), "eth0");
    to.inject(bytes.slice(0, 40), address(from), address(to), "eth0");
    to.inject(bytes, address(from), address(to), "eth0");
    from.inject(bytes, address(to), address(from), "eth0");
    return bytes;
  };
  await world.until(
    "agreement",
    () =>
      machines.every((one) => one.linkNames().length === 2) &&
      new Set(machines.map((one) => one.recordDigest())).size === 1,
    seconds(40),
  );
  await world.run(minutes(2));
  for (const one of machines) {
    assertEquals(one.events.filter(({ event }) => event === "link-down"), []);
  }
  await world.end();
});
