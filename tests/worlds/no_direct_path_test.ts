/** Two that cannot reach each other, and others that reach both. */
import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import { minutes, seconds } from "../../src/base/instant.ts";
import { encodeLinks, prefixHexOf } from "../../src/wire/links.ts";
import type { AnswerMessage, RelayRequest } from "../../src/wire/message.ts";
import { infoKind, linksKind, recordKey } from "../../src/wire/record_key.ts";
import { sink } from "../sim/lies.ts";
import { ip } from "../sim/memory_network.ts";
import { Rogue } from "../sim/rogue.ts";
import { type Machine, World } from "../sim/world.ts";
import { befriendAll, inStep, lostLinks, names, settled } from "./fleet.ts";

/** Nothing gets from one to the other, either way. */
function part(world: World, a: Machine, b: Machine): void {
  world.network.cut(a.host, b.host);
  world.network.cut(b.host, a.host);
}

function rejoin(world: World, a: Machine, b: Machine): void {
  world.network.mend(a.host, b.host);
  world.network.mend(b.host, a.host);
}

/** Who called whom unreachable since those events. */
function calledDead(machines: readonly Machine[], since: readonly number[]): string[] {
  return machines.flatMap((one, i) =>
    one.events.slice(since[i]).flatMap(({ event, id }) =>
      event === "node-unreachable" && id !== undefined
        ? [`${one.name}: ${one.world.nameOf(id)}`]
        : []
    )
  );
}

let changes = 0;

function serialAt(one: Machine, author: Machine): number {
  const key = recordKey(infoKind, author.id, new Uint8Array(0));
  return one.node.archive.store.get(key)?.serial ?? 0;
}

/** The node changes its `info`; all know that soon. */
async function changeIsKnown(world: World, author: Machine, all: readonly Machine[]) {
  const before = serialAt(author, author);
  author.host.attach(`extra${++changes}`, `other ${changes}`, ip(`10.77.0.${changes}`));
  await world.until(
    `all know of ${author.name}'s change`,
    () => all.every((one) => serialAt(one, author) > before),
    seconds(15),
  );
}

Deno.test("two that never reach each other know each other exactly through a third, for an hour and when they can", async () => {
  using world = new World(611);
  const machines: Machine[] = [];
  for (const name of names(3)) machines.push(await world.machine(name));
  const [a, b, middle] = machines;
  assert(a !== undefined && b !== undefined && middle !== undefined);
  part(world, a, b);
  await Promise.all(machines.map((one) => one.start()));
  await world.until("all in step", () => inStep(machines), seconds(20));
  const since = machines.map(({ events }) => events.length);
  const sent = world.network.sent;
  for (let round = 0; round < 4; round++) {
    await world.run(minutes(15));
    await changeIsKnown(world, b, machines);
  }
  assertEquals(calledDead(machines, since), []);
  assertEquals([a.stateOf(b), b.stateOf(a)], ["reachable", "reachable"]);
  assert(inStep(machines));
  // They look for each other ever less often.
  assert(a.count("dial timeout") < 20, `${a.count("dial timeout")} dials`);
  const perSecond = (world.network.sent - sent) / machines.length / minutes(60) * 1_000;
  assert(perSecond < 1, `${perSecond} datagrams a second`);
  rejoin(world, a, b);
  // The longest that anybody waits with looking for one that was never there.
  await world.until("a link", () => a.isLinked(b) && b.isLinked(a), minutes(80));
  await world.end();
});

Deno.test("a pair that is parted is probed through others, called dead by nobody, and linked again", async () => {
  using world = new World(612);
  const machines = await settled(world, 4);
  const [a, b, ...others] = machines;
  assert(a !== undefined && b !== undefined);
  await world.run(minutes(3));
  const since = machines.map(({ events }) => events.length);
  part(world, a, b);
  await world.until("the link is given up", () => !a.isLinked(b) && !b.isLinked(a), seconds(45));
  assertEquals(lostLinks([a, b]), [
    `${a.name} lost ${b.name}: no direct path`,
    `${b.name} lost ${a.name}: no direct path`,
  ]);
  for (const helper of others) assert(helper.count("relayed") > 0, helper.name);
  for (let round = 0; round < 3; round++) {
    await world.run(minutes(3));
    await changeIsKnown(world, a, machines);
  }
  assertEquals(calledDead(machines, since), []);
  assertEquals([a.stateOf(b), b.stateOf(a)], ["reachable", "reachable"]);
  rejoin(world, a, b);
  await world.until("they are linked", () => a.isLinked(b) && b.isLinked(a), minutes(10));
  await world.end();
});

/** What a helper makes of a request, having seen what the two said to each other before. */
type HelperLie = (request: RelayRequest, seen: readonly Bytes[]) => AnswerMessage | undefined;

const helperLies: readonly (readonly [string, string, HelperLie])[] = [
  [
    "replays what the other answered before",
    "relayed answer to another request",
    (_, seen) => ({ kind: "relay", datagram: seen.at(-1) ?? new Uint8Array(0) }),
  ],
  [
    "gives an old answer the tag of the new request",
    "relayed answer seal",
    ({ replyTag }, seen) => {
      const old = seen.at(-1) ?? new Uint8Array(60);
      return { kind: "relay", datagram: concatBytes(old.slice(0, 2), replyTag, old.slice(10)) };
    },
  ],
  [
    "answers in the other's place",
    "relayed answer seal",
    ({ replyTag }) => ({
      kind: "relay",
      datagram: concatBytes(Uint8Array.of(1, 2), replyTag, new Uint8Array(60).fill(7)),
    }),
  ],
  [
    "sends the question back",
    "relayed not an answer",
    ({ datagram }) => ({ kind: "relay", datagram }),
  ],
  [
    "says that it heard nothing",
    "relayed by nobody: helper heard nothing",
    () => ({ kind: "relay", datagram: new Uint8Array(0) }),
  ],
  ["drops everything", "relayed by nobody: helper silent", () => undefined],
];

for (const [index, [what, reason, lie]] of helperLies.entries()) {
  Deno.test(`of two helpers one ${what}: the living is not called dead for it, and no link with the dead stays`, async () => {
    using world = new World(620 + index);
    const honest = await settled(world, 3);
    const [a, b] = honest;
    assert(a !== undefined && b !== undefined);
    const rogue = await Rogue.on(await world.machine("rogue"));
    const seen: Bytes[] = [];
    world.network.filter = (bytes, from) => {
      // Answers of b, as long as those to pings.
      if (from === b.host && bytes[1] === 2 && bytes.length < 80) seen.push(bytes);
      return bytes;
    };
    let asked = 0;
    rogue.conduct = (request, from) => {
      if (request.kind !== "relay") return sink(request, from);
      asked++;
      return lie(request, seen);
    };
    await befriendAll(rogue, honest);
    const links = honest.map(({ id }) => ({ peer: prefixHexOf(id), costExponent: 1 }));
    const body = encodeLinks({ bootNonce: new Uint8Array(16), links, lost: [] });
    const push = { kind: "push", records: [await rogue.record(linksKind, body)] } as const;
    for (const one of honest) await world.done("the push", rogue.ask(one, push));
    await world.run(minutes(1));
    const since = honest.map(({ events }) => events.length);
    part(world, a, b);
    await world.until("the link is given up", () => !a.isLinked(b) && !b.isLinked(a), minutes(16));
    assertEquals(lostLinks([a, b]).filter((text) => !text.includes("no direct path")), []);
    await world.run(minutes(1));
    assertEquals(calledDead(honest, since), []);
    assertEquals([a.stateOf(b), b.stateOf(a)], ["reachable", "reachable"]);
    assert(asked > 0 && a.count(reason) + b.count(reason) > 0, JSON.stringify(a.node.counts()));
    rejoin(world, a, b);
    await world.until("a link again", () => a.isLinked(b) && b.isLinked(a), minutes(10));
    b.host.detach("eth0");
    b.kill();
    // The rogue may go on claiming its own link with the dead; nobody else's link stays for it.
    await world.until(
      "its links have gone",
      () => honest.every((one) => one === b || !one.isLinked(b)),
      seconds(20),
    );
    const last = lostLinks([a]).at(-1);
    assertEquals(last, `${a.name} lost ${b.name}: silent`);
    await world.end();
  });
}
