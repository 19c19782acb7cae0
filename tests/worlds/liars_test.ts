import { assert, assertEquals } from "@std/assert";
import { concatBytes } from "../../src/base/bytes.ts";
import { milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { Prng } from "../../src/base/prng.ts";
import { openTag } from "../../src/crypto/mod.ts";
import { eagerLinks } from "../../src/discovery/limits.ts";
import { newAuthorsBurst } from "../../src/node/limits.ts";
import { shedReasons } from "../../src/node/overload.ts";
import { encodeBeacon } from "../../src/wire/beacon.ts";
import { encodeLinks, prefixHexOf } from "../../src/wire/links.ts";
import type { AnswerMessage, RelayRequest } from "../../src/wire/message.ts";
import { nodeIdPrefix } from "../../src/wire/node_id.ts";
import { linksKind } from "../../src/wire/record_key.ts";
import { ip } from "../fixtures/addresses.ts";
import { type CompareLie, liar, sink } from "../sim/lies.ts";
import { RecordAuthor } from "../sim/record_author.ts";
import { Rogue } from "../sim/rogue.ts";
import { type Machine, World, worldBeginsAt } from "../sim/world.ts";
import { Safety } from "../sim/faults/safety.ts";
import { Trace } from "../sim/faults/trace.ts";
import { befriendAll, countsOf, inStep, lostLinks, settled } from "./fleet.ts";

/** What a liar may cost each neighbour: requests a minute. */
const requestsPerMinuteMax = 120;

/** Somebody new comes, and all honest nodes know him soon. */
async function newcomerIsKnown(world: World, machines: readonly Machine[]): Promise<void> {
  const late = await world.machine("late");
  await late.start();
  const all = [...machines, late];
  await world.until("all know the newcomer", () => inStep(all), seconds(15));
}

/** How each lie is counted by whoever was lied to. */
const liesByCount: readonly (readonly [CompareLie, string])[] = [
  ["wrong fingerprints", "reconciliation: rounds used up"],
  ["endless ranges", "reconciliation: rounds used up"],
  ["overlapping ranges", "reconciliation: split outside its range"],
  ["records that are not there", "record not asked for"],
  ["always different", "reconciliation: still different"],
  ["more answers than questions", "reconciliation: answer with more results than ranges"],
  ["no answer at all", "reconciliation: answer without result"],
];

for (const [index, [lie, reason]] of liesByCount.entries()) {
  Deno.test(`a neighbour that compares with ${lie} keeps nobody out of step, and is counted`, async () => {
    using world = new World(400 + index);
    new Safety(world, { trace: new Trace() });
    const victims = await settled(world, 4);
    const [victim] = victims;
    assert(victim !== undefined);
    const rogue = await Rogue.on(await world.machine("rogue"));
    rogue.conduct = liar(lie, { prng: new Prng([7, index]), victim, record: await rogue.info() });
    await befriendAll(rogue, victims);
    const before = rogue.heard;
    await world.run(minutes(6));
    const perMinute = (rogue.heard - before) / 6 / victims.length;
    assert(perMinute < requestsPerMinuteMax, `${perMinute} requests a minute`);
    for (const [i, count] of countsOf(victims, reason).entries()) {
      assert(count > 0, `${victims[i]?.name} counted ${JSON.stringify(victims[i]?.node.counts())}`);
    }
    await newcomerIsKnown(world, victims);
    assertEquals(lostLinks(victims), []);
    await world.end();
  });
}

Deno.test("a neighbour that answers probes and passes nothing on keeps nothing from anybody", async () => {
  using world = new World(420);
  const victims = await settled(world, 5);
  const rogue = await Rogue.on(await world.machine("rogue"));
  rogue.conduct = sink;
  await befriendAll(rogue, victims);
  await world.run(minutes(2));
  await newcomerIsKnown(world, victims);
  // It also says that it has what others have not, and then has not.
  const [victim] = victims;
  const [record] = victim?.node.archive.store.byAuthor(victim.id) ?? [];
  assert(record !== undefined);
  for (const other of victims) {
    const offers = [{ ...record, serial: record.serial + 9, hashPrefix: new Uint8Array(16) }];
    await world.done("the offer", rogue.ask(other, { kind: "offer", offers }));
  }
  await world.run(seconds(30));
  for (const count of countsOf(victims.slice(1), "offered and not delivered")) assert(count > 0);
  assert(inStep([...victims, ...world.machines.filter(({ name }) => name === "late")]));
  assertEquals(lostLinks(victims), []);
  await world.end();
});

Deno.test("a neighbour that claims others dead makes nobody drop anybody, and is counted", async () => {
  using world = new World(430);
  const victims = await settled(world, 6);
  await world.run(minutes(1));
  const rogue = await Rogue.on(await world.machine("rogue"));
  rogue.conduct = sink;
  await befriendAll(rogue, victims);
  const prefixes = victims.map(({ id }) => prefixHexOf(id));
  const bootNonce = new Uint8Array(16);
  const say = async (links: readonly string[], lost: readonly string[]) => {
    const body = encodeLinks({
      bootNonce,
      links: links.map((peer) => ({ peer, costExponent: 1 })),
      lost,
    });
    const push = { kind: "push", records: [await rogue.record(linksKind, body)] } as const;
    for (const victim of victims) await world.done("the push", rogue.ask(victim, push));
  };
  const before = world.network.sent;
  for (let round = 0; round < 60; round++) {
    await say(prefixes, []);
    await say(prefixes.slice(0, 2), prefixes.slice(2));
    await world.run(seconds(1));
  }
  const perNodeAndSecond = (world.network.sent - before) / victims.length / 60;
  assert(perNodeAndSecond < 30, `${perNodeAndSecond} datagrams`);
  assertEquals(lostLinks(victims), []);
  for (const victim of victims) {
    const suspected = victim.events.filter(({ event }) => event === "node-suspect");
    assertEquals(suspected, []);
    assert((victim.node.counts()["loss reported again"] ?? 0) > 0);
  }
  assert(inStep(victims));
  await world.end();
});

Deno.test("a neighbour that lists those it has no link with makes nobody reachable", async () => {
  using world = new World(431);
  const victims = await settled(world, 3);
  const gone = await world.machine("gone");
  await gone.start();
  await world.until("all know it", () => inStep([...victims, gone]), seconds(20));
  await world.run(seconds(40));
  gone.kill();
  await world.run(minutes(1));
  const rogue = await Rogue.on(await world.machine("rogue"));
  rogue.conduct = sink;
  await befriendAll(rogue, victims);
  const links = [gone, ...victims].map(({ id }) => ({ peer: prefixHexOf(id), costExponent: 1 }));
  const body = encodeLinks({ bootNonce: new Uint8Array(16), links, lost: [] });
  const push = { kind: "push", records: [await rogue.record(linksKind, body)] } as const;
  for (const victim of victims) await world.done("the push", rogue.ask(victim, push));
  await world.run(minutes(1));
  for (const victim of victims) {
    // What the dead one said last still lists its neighbours, but not the rogue.
    assertEquals(victim.stateOf(gone), "unreachable");
  }
  assert(inStep(victims));
  await world.end();
});

Deno.test("a neighbour that sends a thousand new identities a second stops nobody's work", async () => {
  using world = new World(440);
  const victims = await settled(world, 4);
  const rogue = await Rogue.on(await world.machine("rogue"));
  rogue.conduct = sink;
  await befriendAll(rogue, victims);
  const [victim] = victims;
  assert(victim !== undefined);
  const before = world.network.sent;
  // Beyond what one neighbour may bring at once.
  const ticks = Math.ceil((newAuthorsBurst + 600) / 10);
  for (let tick = 0; tick < ticks; tick++) {
    const authors = await Promise.all(
      Array.from({ length: 10 }, (_, i) => RecordAuthor.create(1_000 + 10 * tick + i)),
    );
    const records = await Promise.all(
      authors.map((author) => author.sign({ serial: worldBeginsAt, signedAt: worldBeginsAt })),
    );
    for (let at = 0; at < records.length; at += 3) {
      const push = { kind: "push", records: records.slice(at, at + 3) } as const;
      rogue.ask(victim, push).catch((error: unknown) => world.failures.push(String(error)));
    }
    await world.run(seconds(0.01));
  }
  // Whoever proves a key may be known; what he costs beyond that is what a change costs.
  const perNode = (world.network.sent - before) / victims.length / (10 * ticks);
  assert(perNode < 10, `${perNode} datagrams per node and identity`);
  const shed = victim.count(shedReasons.newAuthors);
  assert(shed > 400 && shed < 600, `${shed} were not looked at`);
  const brought = victim.node.archive.store.authorCount;
  assert(brought < 10 * ticks - 400, `${brought} of ${10 * ticks} are known`);
  await newcomerIsKnown(world, victims);
  assertEquals(lostLinks(victims), []);
  await world.end();
});

Deno.test("somebody who beacons for ten thousand made-up ids keeps no newcomer without links", async () => {
  using world = new World(445);
  const victims = await settled(world, 16);
  const prng = new Prng([9, 445]);
  const made = { tag: await openTag(), idForm: "plain", solicitation: true, port: 9 } as const;
  const island = new Uint8Array(16);
  /** A hundred a second, each from an address of its own, as his own machine might send them. */
  const flood = async (forSeconds: number) => {
    for (let n = 0; n < 100 * forSeconds; n++) {
      const id = Uint8Array.from({ length: 32 }, () => prng.below(256));
      const bytes = encodeBeacon({ ...made, id, island });
      const from = ip(`10.77.${prng.below(256)}.${1 + prng.below(250)}`);
      for (const { host, isRunning } of world.machines) {
        if (isRunning) host.hear(bytes, from, "eth0");
      }
      await world.run(milliseconds(10));
    }
  };
  // As many are heard in the last minute as are told apart.
  await flood(60);
  for (let round = 0; round < 3; round++) {
    const late = await world.machine(`late ${round}`);
    await late.start();
    // It solicits twice within two seconds, and the second time only who has a record counts.
    await flood(4);
    assert(late.node.peers.linkCount > 0, `${late.name} has no link`);
    await flood(10);
    const { linkCount } = late.node.peers;
    assert(linkCount >= eagerLinks, `${late.name} has ${linkCount} links`);
  }
  await world.until("all agree", () => inStep(world.machines), seconds(15));
  assertEquals(lostLinks(victims), []);
  await world.end();
});

/** How a helper answers who asks it to ask a neighbour, and how that is counted. */
const helperLies: readonly (readonly [
  string,
  (request: RelayRequest) => AnswerMessage | undefined,
  string | undefined,
])[] = [
  ["with junk", ({ replyTag }) => {
    const head = Uint8Array.of(1, 2, ...replyTag);
    return { kind: "relay", datagram: concatBytes(head, new Uint8Array(60).fill(7)) };
  }, "relayed answer seal"],
  ["with the question", ({ datagram }) => ({ kind: "relay", datagram }), "relayed "],
  ["with nothing", () => ({ kind: "relay", datagram: new Uint8Array(0) }), undefined],
  ["never", () => undefined, undefined],
];

for (const [index, [how, answer, reason]] of helperLies.entries()) {
  Deno.test(`a helper that answers ${how} makes nobody who is gone look alive`, async () => {
    using world = new World(450 + index);
    const [a, b] = await settled(world, 2);
    assert(a !== undefined && b !== undefined);
    const rogue = await Rogue.on(await world.machine("rogue"));
    let asked = 0;
    rogue.conduct = (request, from) => {
      if (request.kind !== "relay") return sink(request, from);
      asked++;
      return answer(request);
    };
    await befriendAll(rogue, [a, b]);
    const links = [a, b].map(({ id }) => ({ peer: prefixHexOf(id), costExponent: 1 }));
    const body = encodeLinks({ bootNonce: new Uint8Array(16), links, lost: [] });
    const push = { kind: "push", records: [await rogue.record(linksKind, body)] } as const;
    for (const victim of [a, b]) await world.done("the push", rogue.ask(victim, push));
    await world.run(seconds(30));
    b.host.detach("eth0");
    await world.until("it is given up", () => !a.isLinked(b), seconds(15));
    assert(asked > 0, "the helper was asked");
    const counted = Object.keys(a.node.counts()).filter((name) => name.startsWith("relayed "));
    assertEquals(counted.some((name) => name.startsWith(reason ?? "-")), reason !== undefined);
    b.plugIn();
    await world.until("it is back", () => a.isLinked(b) && b.isLinked(a), minutes(2));
    await world.end();
  });
}

Deno.test("a neighbour that has thousands of requests sent on is rationed, and harms nobody", async () => {
  using world = new World(460);
  const victims = await settled(world, 3);
  const [helper, target] = victims;
  assert(helper !== undefined && target !== undefined);
  const rogue = await Rogue.on(await world.machine("rogue"));
  rogue.conduct = sink;
  await befriendAll(rogue, victims);
  const datagram = new Uint8Array(200).fill(5);
  datagram.set([1, 1]);
  const before = world.network.sent;
  for (let i = 0; i < 1_000; i++) {
    const replyTag = Uint8Array.of(1, 2, 3, 4, 5, 6, i >> 8, i & 255);
    const to = nodeIdPrefix(target.id);
    rogue.ask(helper, { kind: "relay", to, replyTag, datagram })
      .catch((error: unknown) => world.failures.push(String(error)));
    await world.run(milliseconds(5));
  }
  await world.run(seconds(2));
  assert(helper.count("not relayed: over its budget") > 500);
  assert(helper.count("relayed") < 100, `${helper.count("relayed")} sent on`);
  assert(world.network.sent - before < 8_000, `${world.network.sent - before} datagrams`);
  assertEquals(lostLinks(victims), []);
  assert(inStep(victims));
  await world.end();
});
