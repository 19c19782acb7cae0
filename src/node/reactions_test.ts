import { assert, assertEquals } from "@std/assert";
import { ip } from "../../tests/sim/memory_network.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { World, worldBeginsAt, worldBuiltAt } from "../../tests/sim/world.ts";
import { VirtualClock } from "../../tests/sim/virtual_clock.ts";
import { days, type Duration } from "../base/instant.ts";
import { openRecordLog } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { encodeLinks } from "../wire/links.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { linksKind } from "../wire/record_key.ts";
import type { LinkEnd } from "./links.ts";
import { makeParts } from "./node_parts.ts";

/** The parts of a node that is not started: nothing happens but what a test says. */
async function partsIn(world: World) {
  const machine = await world.machine("self");
  const { identity, host, storage } = machine;
  const leaf = await identity.newLeaf();
  const entropy = world.entropy([1]);
  const parts = await makeParts({
    identity,
    leaf,
    bootNonce: machine.bootNonce(),
    name: "self",
    labels: {},
    port: machine.port,
    host: undefined,
    interfaceNames: [],
    multicast: false,
    peers: [],
    openToAll: false,
    software: { version: "0.1.0", seq: 0, target: "x86_64-unknown-linux-gnu" },
    platform: { os: "linux", arch: "x86_64" },
    builtAt: worldBuiltAt,
    forgotten: new Map(),
  }, {
    clock: new VirtualClock(world.time, { wallOrigin: worldBeginsAt }),
    entropy,
    network: host,
    dialer: world.streams.dialer(host, { leaf: leaf.leaf, root: leaf.root }),
    recordLog: await openRecordLog(storage, entropy),
    lookUpHost: () => Promise.resolve([]),
    keepForgotten: () => Promise.resolve(),
    log: { debug: () => {}, info: () => {}, warn: () => {} },
  });
  return { parts, now: () => parts.outside.clock.monotonic() };
}

/** A record of the author that says nothing of anybody. */
function emptyLinks(author: RecordAuthor, signedAt: number = worldBeginsAt) {
  const body = encodeLinks({ bootNonce: new Uint8Array(16), links: [], lost: [] });
  return author.record({ kind: linksKind, signedAt, body });
}

Deno.test("of whom no record is left nothing is kept for dialling, of whom one is left all", async () => {
  using world = new World(1);
  const { parts, now } = await partsIn(world);
  const { archive, discovery } = parts;
  const author = await RecordAuthor.create(1);
  const laterOne = await emptyLinks(author, worldBeginsAt + days(20));
  const info = await author.sign({ signedAt: worldBeginsAt });
  await archive.receive(info);
  discovery.handleLinked(author.id, socketAddress(ip("10.0.0.9"), 7411), now());
  discovery.handleUnlinked(author.id, "lost", now());
  const heldAfter = async (passed: Duration) => {
    await world.run(passed);
    archive.handleTimeout(now());
    return [archive.store.byAuthor(author.id).length, discovery.snapshot(now()).held];
  };
  assertEquals(await heldAfter(days(20)), [1, 1]);
  await archive.receive(laterOne.bytes);
  assertEquals(await heldAfter(days(41)), [2, 1], "old, and kept for a day more");
  assertEquals(await heldAfter(days(2)), [1, 1]);
  assertEquals(await heldAfter(days(20)), [1, 1]);
  assertEquals(await heldAfter(days(2)), [0, 0]);
});

Deno.test("a record that says where somebody listens makes a stranger and his addresses known", async () => {
  using world = new World(4);
  const { parts } = await partsIn(world);
  const { finder, reactions, readings } = parts;
  const author = await RecordAuthor.create(1);
  const there = ip("10.0.0.9");
  const endpoints = [{ ip: there, port: 7411, scope: "private" }] as const;
  const body = encodeInfo({ ...plainInfo("test"), endpoints });
  const known: string[] = [];
  finder.handleKnown = (id) => void known.push(id);
  reactions.handleStored(await emptyLinks(author), undefined);
  assertEquals([known, readings.isKnownAddress(there)], [[], false]);
  reactions.handleStored(await author.record({ body }), undefined);
  assertEquals([known, readings.isKnownAddress(there)], [[author.id], true]);
});

Deno.test("links that somebody tells of are paths by which more can be found", async () => {
  using world = new World(2);
  const { parts, now } = await partsIn(world);
  const { archive, discovery, finder, reactions } = parts;
  const author = await RecordAuthor.create(1);
  for (const one of [author, await RecordAuthor.create(2)]) {
    await archive.receive(await one.sign({ signedAt: worldBeginsAt }));
  }
  // What there was to be found was looked for.
  finder.handleTimeout(now());
  const before = discovery.nextTimeout();
  assert(before !== undefined);
  reactions.handleStored(await author.record({ signedAt: worldBeginsAt }), undefined);
  assertEquals(discovery.nextTimeout(), before, "where somebody listens is no path");
  reactions.handleStored(await emptyLinks(author), undefined);
  assert((discovery.nextTimeout() ?? before) < before);
});

Deno.test("a neighbour lost by silence has those looked at whom it watched; no other end does", async () => {
  using world = new World(3);
  const { parts } = await partsIn(world);
  const { links, peers, reactions, roles } = parts;
  const [lost, orphan] = await Promise.all([RecordAuthor.create(1), RecordAuthor.create(2)]);
  const peer = peers.open(lost.id);
  const watched = peers.open(orphan.id);
  const looks: string[] = [];
  roles.watchedBy = (prefix) => prefix === peer.prefix ? [watched] : [];
  links.handleLostWatcher = (whom, watcher) => void looks.push(`${whom.id} for ${watcher}`);
  const lookAfter = (why: LinkEnd) => {
    reactions.handleLinkDown(peer, why);
    return looks.splice(0);
  };
  for (const why of ["silent", "refused", "restart overdue"] as const) {
    assertEquals(lookAfter(why), [`${orphan.id} for ${peer.prefix}`], why);
  }
  const others = ["good-bye", "udp blocked", "no direct path", "let go", "no socket"] as const;
  for (const why of others) assertEquals(lookAfter(why), [], why);
  await parts.background.settled();
  await world.gate.quiet();
});
