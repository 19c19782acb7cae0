/** Tells that cannot be read, each for a reason of its own: what they said is known soon all the same. */
import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../src/base/bytes.ts";
import { hours, milliseconds, minutes, seconds } from "../../src/base/instant.ts";
import { epochLength, timeWindow } from "../../src/session/limits.ts";
import { socketAddress } from "../../src/wire/socket_address.ts";
import { recordsOfAbsent } from "../sim/absent.ts";
import { stopProcess } from "../sim/faults/pace.ts";
import { ip } from "../sim/memory_network.ts";
import { type Machine, World } from "../sim/world.ts";
import { inStep, settled } from "./fleet.ts";

let authors = 10_000;

/** Three that are linked: one is told of what another has learned from the third. */
async function three(world: World): Promise<[hearer: Machine, teller: Machine, source: Machine]> {
  const [hearer, teller, source] = await settled(world, 3);
  assert(hearer !== undefined && teller !== undefined && source !== undefined);
  await world.run(minutes(2));
  return [hearer, teller, source];
}

/** Brings the teller a record that nobody else has; he is to tell of it at once. */
async function bringNews(source: Machine, teller: Machine): Promise<Bytes> {
  const [news] = await recordsOfAbsent(1, ++authors);
  const peer = source.node.peers.get(teller.id);
  assert(news !== undefined && peer !== undefined);
  const pushed = source.node.asker.ask(peer, { kind: "push", records: [news] });
  await source.world.done("the news is brought", pushed);
  assert(holds(teller, news));
  return news;
}

function holds(machine: Machine, news: Bytes): boolean {
  const text = news.toHex();
  return [...machine.node.archive.store.records()].some(({ bytes }) => bytes.toHex() === text);
}

const unreadReasons = ["unknown epoch", "tell outside window", "tell from elsewhere"];

function unread(machine: Machine): number[] {
  return unreadReasons.map((reason) => machine.count(reason));
}

Deno.test("tells are read over three hours of epochs, whenever a change comes", async () => {
  using world = new World(601);
  const [hearer, teller, source] = await three(world);
  while (world.time.now < 3 * epochLength + minutes(5)) {
    const news = await bringNews(source, teller);
    await world.until("it is told", () => holds(hearer, news), milliseconds(100));
    await world.run(minutes(7));
  }
  assert(world.time.now > hours(3));
  for (const machine of world.machines) assertEquals(unread(machine), [0, 0, 0], machine.name);
  await world.end();
});

Deno.test("what is told to a node that has just restarted comes with an exchange, within two seconds", async () => {
  using world = new World(602);
  const [hearer, teller, source] = await three(world);
  hearer.kill();
  // It does not look for anybody: only what is told to it can bring the two together.
  world.network.carriesBeacons = false;
  await hearer.start({
    bendDialer: () => ({ dial: () => Promise.resolve({ failed: "unreachable", detail: "" }) }),
  });
  const news = await bringNews(source, teller);
  await world.until("it is known", () => holds(hearer, news), seconds(2));
  assert(hearer.count("unknown epoch") > 0);
  await world.end();
});

Deno.test("what is told to a node whose clock has run away is asked for at once", async () => {
  using world = new World(603);
  const hearer = await world.machine("fast", { clockRate: 1.05 });
  const [teller, source] = await settled(world, 2);
  assert(teller !== undefined && source !== undefined);
  await hearer.start();
  await world.until("all in step", () => inStep(world.machines), seconds(10));
  // The teller knows the hearer's clock from their exchange and from probes that it found too old.
  const error = () => {
    const there = teller.node.peers.get(hearer.id)?.keys.timeThere(teller.clock.monotonic());
    return there === undefined ? 0 : hearer.clock.monotonic() - there;
  };
  await world.until("the clock has run away", () => error() > timeWindow, minutes(15));
  const before = hearer.count("tell outside window");
  const news = await bringNews(source, teller);
  await world.until("it is known", () => holds(hearer, news), milliseconds(200));
  assertEquals(hearer.count("tell outside window"), before + 1);
  await world.end();
});

Deno.test("what is told through a translator that has moved its sender is known within ten seconds, both ways", async () => {
  using world = new World(604);
  const teller = await world.machine("inside");
  await teller.start({ interfaceNames: ["eth0"] });
  const [hearer, source] = await settled(world, 2);
  assert(hearer !== undefined && source !== undefined);
  await world.until("all in step", () => inStep(world.machines), seconds(10));
  await world.run(minutes(2));
  const [home, inside] = [hearer, teller].map(({ host }) =>
    socketAddress(host.attachments[0]?.ips[0] ?? ip("::"), 7411)
  );
  const moved = socketAddress(ip("10.0.0.99"), 7411);
  assert(home !== undefined && inside !== undefined);
  teller.host.attach("eth1", "lan", moved.ip);
  world.network.filter = (bytes, from, to, address) => {
    if (from === teller.host && to === hearer.host) hearer.host.inject(bytes, moved, home, "eth0");
    else if (from !== hearer.host || to !== teller.host) return bytes;
    // What goes to where it was before reaches nobody.
    else if (address.ip === moved.ip) teller.host.inject(bytes, home, inside, "eth0");
    return undefined;
  };
  const there = await bringNews(source, teller);
  await world.until("it is known", () => holds(hearer, there), seconds(10));
  assert(hearer.count("tell from elsewhere") > 0);
  const back = await bringNews(source, hearer);
  await world.until("it is known inside", () => holds(teller, back), seconds(10));
  await world.end();
});

Deno.test("what is told to a node whose clock has jumped a minute ahead is asked for at once", async () => {
  using world = new World(605);
  const [hearer, teller, source] = await three(world);
  hearer.clock.jump(minutes(1));
  const news = await bringNews(source, teller);
  await world.until("it is known", () => holds(hearer, news), milliseconds(200));
  assert(hearer.count("tell outside window") > 0);
  await world.end();
});

Deno.test("a machine that slept for ten minutes knows within ten seconds what it was not told", async () => {
  using world = new World(606);
  const [sleeper, teller, source] = await three(world);
  const asleep = minutes(10);
  for (const { host } of [teller, source]) world.network.cut(host, sleeper.host);
  stopProcess(sleeper, asleep);
  sleeper.clock.jump(milliseconds(-asleep));
  await world.run(minutes(5));
  const news = await bringNews(source, teller);
  await world.run(minutes(5));
  for (const { host } of [teller, source]) world.network.mend(host, sleeper.host);
  assert(!holds(sleeper, news));
  await world.until("all in step", () => inStep(world.machines), seconds(10));
  assert(holds(sleeper, news));
  await world.end();
});
