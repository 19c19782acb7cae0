import { assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { instant } from "../base/instant.ts";
import { EpochKeys } from "../session/mod.ts";
import { prefixHexOf } from "../wire/links.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { peersMax } from "./limits.ts";
import { PeerTable } from "./peer.ts";

const entropy = new SeededEntropy([1]);

Deno.test("a peer is found by its id and by the prefix of its id, as one", () => {
  const peers = new PeerTable(entropy);
  const peer = peers.open(idOf(1));
  assertEquals(peers.open(idOf(1)), peer);
  assertEquals(peers.get(idOf(1)), peer);
  assertEquals(peers.byPrefix(prefixHexOf(idOf(1))), peer);
  assertEquals(peers.get(idOf(2)), undefined);
  assertEquals(peers.byPrefix(prefixHexOf(idOf(2))), undefined);
});

Deno.test("a flood of strangers pushes out no link, and takes its prefixes with it", () => {
  const peers = new PeerTable(entropy);
  const linked = peers.open(idOf(1));
  peers.link(linked);
  peers.open(idOf(2));
  for (let i = 0; i < peersMax; i++) peers.open(idOf(100 + i));
  assertEquals(peers.get(idOf(1)), linked);
  assertEquals(peers.links(), [linked]);
  assertEquals(peers.get(idOf(2)), undefined);
  assertEquals(peers.byPrefix(prefixHexOf(idOf(2))), undefined);
});

Deno.test("a link that ends leaves the keys, and nothing of who dialled", async () => {
  const peers = new PeerTable(entropy);
  const peer = peers.open(idOf(1));
  const now = instant(5);
  peer.keys.adopt(await EpochKeys.create(entropy, idOf(1), now).grantFor(idOf(9), now), now);
  assertEquals(peer.direction, "in");
  peer.dialled = true;
  assertEquals(peer.direction, "out");
  peer.accepted = true;
  assertEquals(peer.direction, "both");
  peer.dialledAt = socketAddress(ip("10.0.0.1"), 7411);
  peers.link(peer);
  assertEquals([peer.linked, peers.linkCount], [true, 1]);
  peers.unlink(peer);
  assertEquals([peer.linked, peers.linkCount], [false, 0]);
  assertEquals([peer.dialled, peer.accepted, peer.dialledAt], [false, false, undefined]);
  assertEquals([peers.get(idOf(1)), peer.keys.ready], [peer, true]);
});

Deno.test("a forgotten peer is gone under both names and its keys with it", async () => {
  const peers = new PeerTable(entropy);
  const peer = peers.open(idOf(1));
  const now = instant(5);
  peer.keys.adopt(await EpochKeys.create(entropy, idOf(1), now).grantFor(idOf(9), now), now);
  peers.link(peer);
  peers.forget(idOf(1));
  assertEquals(peers.get(idOf(1)), undefined);
  assertEquals(peers.byPrefix(peer.prefix), undefined);
  assertEquals([peers.linkCount, peer.linked, peer.keys.ready], [0, false, false]);
  peers.forget(idOf(1));
});
