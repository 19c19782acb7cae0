import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { EpochKeys } from "../session/mod.ts";
import { prefixHexOf } from "../wire/links.ts";
import { type NodeId, nodeIdFromBytes } from "../wire/node_id.ts";
import { Grants } from "./grants.ts";
import { peersMax } from "./limits.ts";
import { PeerTable } from "./peer.ts";

function idOf(number: number): NodeId {
  const id = nodeIdFromBytes(new Uint8Array(32).with(0, number >> 8).with(1, number & 255));
  assert(id !== undefined);
  return id;
}

function makeGrants() {
  const clock = new VirtualClock(new VirtualTime());
  const entropy = new SeededEntropy([1]);
  const peers = new PeerTable(entropy);
  const epochKeys = EpochKeys.create(entropy, idOf(0), clock.monotonic());
  return { peers, grants: new Grants(clock, epochKeys, peers) };
}

Deno.test("who was handed a grant may ask before the exchange is over, and is a peer from then on", async () => {
  const { peers, grants } = makeGrants();
  const [one, other] = [idOf(1), idOf(2)];
  await grants.grantFor(one);
  assertEquals([one, other].map((id) => grants.admits(prefixHexOf(id))), [true, false]);
  assertEquals([peers.get(one), grants.peerOf(prefixHexOf(other))], [undefined, undefined]);
  const peer = grants.peerOf(prefixHexOf(one));
  assert(peer !== undefined);
  assertEquals([peer.id, peers.get(one)], [one, peer]);
});

Deno.test("a peer is admitted for as long as it is remembered, its grant's place or not", async () => {
  const { peers, grants } = makeGrants();
  const peer = peers.open(idOf(1));
  peers.link(peer);
  for (let i = 2; i < peersMax + 10; i++) await grants.grantFor(idOf(i));
  assertEquals(grants.size, peersMax);
  assert(grants.admits(peer.prefix));
  assertEquals(grants.peerOf(peer.prefix), peer);
  assert(!grants.admits(prefixHexOf(idOf(2))));
});
