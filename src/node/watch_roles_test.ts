import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { idOf } from "../../tests/sim/beacon_bus.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { instant, later } from "../base/instant.ts";
import { type LinkRole, watchersOf } from "../sync/mod.ts";
import { encodeLinks, type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import { infoKind, linksKind } from "../wire/record_key.ts";
import { rolesCoalesce } from "./limits.ts";
import { Peer } from "./peer.ts";
import { WatchRoles } from "./watch_roles.ts";

const selfId = idOf(1);
const self = prefixHexOf(selfId);

function linkedPeer(id: NodeId, seed: number): Peer {
  const peer = new Peer(id, new SeededEntropy([seed]));
  peer.linked = true;
  return peer;
}

/** Roles of a node that has links with `count` others, on records that a test writes down. */
function rolesAmong(count: number) {
  const peers = Array.from({ length: count }, (_, i) => linkedPeer(idOf(i + 2), i));
  const listed = new Map<NodeIdPrefixHex, Set<NodeIdPrefixHex>>();
  const reads: NodeIdPrefixHex[] = [];
  const told: { id: NodeId; role: LinkRole | undefined }[] = [];
  const state = { now: instant(0) };
  const roles = new WatchRoles(
    {
      monotonic: () => state.now,
      wall: () => {
        throw new Error("no calendar here");
      },
      wait: () => Promise.resolve(),
    },
    selfId,
    {
      linked: () => peers.filter(({ linked }) => linked),
      neighboursOf: (prefix) => {
        reads.push(prefix);
        return listed.get(prefix);
      },
      handleRole: (id, role) => told.push({ id, role }),
    },
  );
  const pass = () => {
    state.now = later(state.now, rolesCoalesce);
    roles.handleTimeout(state.now);
    return told.splice(0);
  };
  /** Everybody's record names everybody else. */
  const meshed = () => {
    const all = [self, ...peers.map(({ prefix }) => prefix)];
    for (const one of all) listed.set(one, new Set(all.filter((other) => other !== one)));
  };
  return { roles, peers, listed, reads, pass, meshed };
}

Deno.test("the role of each link follows from the records of both ends and of those they name", () => {
  const { roles, peers, listed, pass, meshed } = rolesAmong(8);
  meshed();
  roles.handleLinks();
  const all = [...listed.keys()];
  const watchersHere = (of: NodeIdPrefixHex) =>
    watchersOf(of, all.filter((one) => one !== of), () => true);
  assertEquals(
    pass(),
    peers.map(({ id, prefix }) => ({
      id,
      role: {
        watches: watchersHere(prefix).includes(self),
        turn: Math.max(0, watchersHere(prefix).indexOf(self)),
        isWatched: watchersHere(self).includes(prefix),
      },
    })),
  );
  for (const { prefix } of peers) {
    const watched = roles.watchedBy(prefix).map((peer) => peer.prefix);
    assertEquals(
      watched,
      peers.map((peer) => peer.prefix).filter((of) => watchersHere(of).includes(prefix)),
    );
  }
  const [gone] = roles.watchedBy(all[1] ?? self);
  assert(gone !== undefined);
  gone.linked = false;
  assert(!roles.watchedBy(all[1] ?? self).includes(gone), "who has no link is no neighbour");
  gone.linked = true;
  roles.handleLinks();
  assertEquals(pass(), [], "what has not changed is not told again");
});

Deno.test("a link that one end's record does not name has no role, and gets one when it does", async () => {
  const { roles, peers, listed, pass } = rolesAmong(1);
  const [peer] = peers;
  if (peer === undefined) throw new Error("there is one");
  listed.set(self, new Set([peer.prefix]));
  roles.handleLinks();
  assertEquals(pass(), []);
  listed.set(peer.prefix, new Set([self]));
  // Records of kinds and authors that decide nothing here are passed over.
  const stranger = await RecordAuthor.create(9);
  const strange = await stranger.record({
    kind: linksKind,
    body: encodeLinks({ bootNonce: new Uint8Array(16), links: [], lost: [] }),
  });
  roles.handleRecord(strange);
  assertEquals(roles.nextTimeout(), undefined);
  roles.handleLinks();
  assertEquals(pass(), [{ id: peer.id, role: { watches: true, turn: 0, isWatched: true } }]);
});

Deno.test("what an author's links say is read again when that record has changed or gone, and only then", async () => {
  const { roles, peers, listed, reads, pass } = rolesAmong(2);
  const authors = await Promise.all([7, 8].map((number) => RecordAuthor.create(number)));
  const [first, second] = authors;
  assert(first !== undefined && second !== undefined);
  peers.splice(0, 2, ...authors.map(({ id }, i) => linkedPeer(id, i)));
  const [one, other] = peers.map(({ prefix }) => prefix);
  assert(one !== undefined && other !== undefined);
  listed.set(self, new Set([one, other]));
  for (const prefix of [one, other]) listed.set(prefix, new Set([self]));
  roles.handleLinks();
  assertEquals(pass().length, 2);
  assertEquals(new Set(reads.splice(0)), new Set([self, one, other]));
  listed.delete(one);
  roles.handleLinks();
  assertEquals([pass(), reads.splice(0)], [[], []]);
  const body = encodeLinks({ bootNonce: new Uint8Array(16), links: [], lost: [] });
  roles.handleRecord(await first.record({ kind: linksKind, body }));
  assertEquals(pass(), [{ id: first.id, role: undefined }]);
  assertEquals(reads.splice(0), [one]);
  // It lists nothing now, and still matters.
  roles.handleRecord(await second.record({ kind: infoKind }));
  assertEquals(roles.nextTimeout(), undefined);
  listed.set(one, new Set([self]));
  roles.handleRecord(await first.record({ kind: linksKind, body }));
  assertEquals(pass().map(({ id }) => id), [first.id]);
});
