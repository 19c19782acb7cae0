import { assert, assertEquals } from "@std/assert";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { ip } from "../../tests/sim/memory_network.ts";
import { instant, wallTime } from "../base/instant.ts";
import { type IpAddress, ipScope } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import { RecordStore } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { encodeLinks, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { isControlFailure } from "../control/mod.ts";
import { FleetView } from "./fleet_view.ts";
import { entriesInSlices } from "./node_listing.ts";

const wall = wallTime(1_800_000_000_000);

function entriesOf(view: FleetView) {
  return [...entriesInSlices(view)].flat();
}

/** A store in which nodes say what they are called and with whom they have links. */
async function fleet(count = 5) {
  const authors: RecordAuthor[] = [];
  for (let number = 1; number <= count; number++) authors.push(await RecordAuthor.create(number));
  const [self, ...others] = authors;
  assert(self !== undefined);
  const store = new RecordStore({ selfId: self.id });
  let serial = 1;
  const say = async (author: RecordAuthor, name: string, endpoints: readonly IpAddress[] = []) => {
    const body = encodeInfo({
      ...plainInfo(name),
      endpoints: endpoints.map((each) => ({ ip: each, port: 7411, scope: ipScope(each) })),
    });
    const record = await author.record({ serial: serial++, signedAt: wall, body });
    assertEquals(store.admit(record, instant(0), wall).kind, "stored");
    return record;
  };
  const list = async (author: RecordAuthor, ...neighbours: readonly RecordAuthor[]) => {
    const body = encodeLinks({
      bootNonce: new Uint8Array(16),
      links: neighbours.map(({ id }) => ({ peer: prefixHexOf(id), costExponent: 3 })),
      lost: [],
    });
    const record = await author.record({ kind: 1, serial: serial++, signedAt: wall, body });
    assertEquals(store.admit(record, instant(0), wall).kind, "stored");
  };
  const linked = new Set<NodeId>();
  const forgotten = new Map<NodeId, number>();
  const zones = new Map<string, string>();
  const look = () =>
    new FleetView({
      selfId: self.id,
      store,
      linked: () => linked,
      zoneOf: (id, address) => zones.get(`${id} ${address}`),
      forgotten,
    });
  return { self, others, store, say, list, linked, forgotten, zones, look };
}

Deno.test("each node is shown as what a path of links makes it", async () => {
  const { self, others, say, list, linked, look } = await fleet();
  const [near, far, alone, liar] = others;
  assert(near && far && alone && liar);
  for (const [i, one] of [self, near, far, alone, liar].entries()) await say(one, `n${i}`);
  linked.add(near.id);
  await list(near, self, far);
  await list(far, near);
  // A node that claims a link which the other end does not list is no nearer for that.
  await list(liar, near, far);
  const view = look();
  const states = entriesOf(view).map(({ name, state, hops, via }) => [name, state, hops, via]);
  assertEquals(states, [
    ["n0", "self", 0, undefined],
    ["n1", "linked", 1, near.id],
    ["n2", "reachable", 2, near.id],
    ["n3", "unreachable", undefined, undefined],
    ["n4", "unreachable", undefined, undefined],
  ]);
  assertEquals([view.known, view.reachable], [5, 3]);
  assertEquals(view.linksOf(near.id), [{ id: self.id, costMs: 8 }, { id: far.id, costMs: 8 }]);
});

Deno.test("the smallest reachable id is the smallest by bytes, and unreachable ones do not count", async () => {
  const { self, others, say, linked, look } = await fleet(30);
  for (const one of [self, ...others]) await say(one, "x");
  assertEquals(look().smallestReachable, self.id);
  for (const { id } of others) linked.add(id);
  const hex = [self, ...others].map(({ id }) => [prefixHexOf(id), id] as const).sort();
  assertEquals(look().smallestReachable, hex[0]?.[1]);
});

Deno.test("an argument is an id, six characters of one, or a name that is unambiguous", async () => {
  const { self, others, say, look } = await fleet();
  const [a, b, c] = others;
  assert(a && b && c);
  await say(self, "self");
  await say(a, "twin");
  await say(b, "twin");
  await say(c, a.id.slice(0, 8));
  const view = look();
  const meant = (argument: string) => {
    const node = view.resolve(argument);
    return isControlFailure(node) ? node.error.code : node.id;
  };
  assertEquals(meant(b.id), b.id);
  assertEquals(meant(b.id.toUpperCase()), b.id);
  assertEquals(meant(b.id.slice(0, 6)), b.id);
  assertEquals(meant(b.id.slice(0, 5)), "no-such-node");
  assertEquals(meant("self"), self.id);
  assertEquals(meant("nobody"), "no-such-node");
  assertEquals(meant("twin"), "ambiguous");
  // A name that looks like another's id takes nothing from him.
  assertEquals(meant(a.id.slice(0, 8)), "ambiguous");
  assertEquals(meant(a.id), a.id);
  const twins = view.resolve("twin");
  assert(isControlFailure(twins));
  assertEquals(twins.error.candidates?.map(({ name }) => name), ["twin", "twin"]);
  assertEquals(view.conflictingNames(), ["twin"]);
  assertEquals(entriesOf(view).map(({ nameState }) => nameState).sort(), [
    "claimed",
    "claimed",
    "conflict",
    "conflict",
  ]);
});

Deno.test("a forgotten node is hidden until it is reachable or says something new", async () => {
  const { self, others, say, linked, forgotten, look } = await fleet();
  const [a] = others;
  assert(a);
  await say(self, "self");
  const record = await say(a, "a");
  forgotten.set(a.id, record.serial);
  assertEquals(look().get(a.id), undefined);
  assertEquals(look().known, 1);
  linked.add(a.id);
  assertEquals(look().get(a.id)?.state, "linked");
  linked.delete(a.id);
  await say(a, "a");
  assertEquals(look().get(a.id)?.state, "unreachable");
});

Deno.test("a link-local address is shown only with the zone in which it is reached", async () => {
  const { others, say, zones, look } = await fleet();
  const [a] = others;
  assert(a);
  await say(a, "a", [ip("fe80::1"), ip("10.0.0.1"), ip("169.254.0.1")]);
  assertEquals(entriesOf(look())[0]?.addresses, ["10.0.0.1:7411", "169.254.0.1:7411"]);
  zones.set(`${a.id} fe80::1`, "eth0");
  assertEquals(entriesOf(look())[0]?.addresses[0], "[fe80::1%eth0]:7411");
});

Deno.test("who is picked is of the wanted sort, neither this node nor a neighbour, not hidden, and passes", async () => {
  const { self, others, say, list, linked, forgotten, look } = await fleet(8);
  const [near, far, alone, lost, gone] = others;
  assert(near && far && alone && lost && gone);
  for (const one of [self, near, far, alone, lost, gone]) await say(one, "x");
  linked.add(near.id);
  await list(near, far);
  await list(far, near);
  forgotten.set(gone.id, 1_000);
  const prng = new Prng([1]);
  const picked = (reachable: boolean, passes: (id: NodeId) => boolean = () => true) => {
    const view = look();
    const ids = Array.from({ length: 100 }, () => view.pick(reachable, prng, passes));
    return new Set(ids);
  };
  assertEquals(picked(true), new Set([far.id]));
  assertEquals(picked(false), new Set([alone.id, lost.id]));
  assertEquals(picked(false, (id) => id !== lost.id), new Set([alone.id]));
  assertEquals(picked(true, () => false), new Set([undefined]));
  const looked: NodeId[] = [];
  await list(far);
  picked(true, (id) => looked.push(id) > 0);
  assertEquals(looked, [], "where only neighbours are reached nobody is looked for");
});
