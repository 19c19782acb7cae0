import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import { type NodeId, nodeIdFromBytes } from "../wire/node_id.ts";
import { judgeNews } from "./neighbour_news.ts";
import { PeerTable } from "./peer.ts";

function idOf(fill: number): NodeId {
  const id = nodeIdFromBytes(new Uint8Array(32).fill(fill));
  assert(id !== undefined);
  return id;
}

const [low, self, high, other] = [idOf(1), idOf(2), idOf(3), idOf(4)];
const none: ReadonlySet<NodeIdPrefixHex> = new Set();

interface Case {
  /** Whom the neighbour's `links` names; absent while there is none. */
  readonly lists?: readonly NodeId[];
  readonly isLinked?: boolean;
  /** With whom this node has links over which a path leads to the neighbour. */
  readonly ways?: readonly NodeId[];
  readonly told?: ReadonlySet<NodeIdPrefixHex>;
}

function newsOf(id: NodeId, { lists, isLinked = true, ways = [], told = none }: Case) {
  const peers = new PeerTable(new SeededEntropy([1]));
  if (isLinked) peers.link(peers.open(id));
  else peers.open(id);
  const links = lists?.map((peer) => ({ peer: prefixHexOf(peer), costExponent: 0 }));
  return judgeNews(prefixHexOf(id), told, {
    selfId: self,
    peers,
    fleet: { isReachedOtherwise: (_, counts = () => true) => ways.some(counts) },
    readings: {
      linksOf: () =>
        links === undefined ? undefined : { bootNonce: new Uint8Array(16), links, lost: [] },
    },
  });
}

Deno.test("a newcomer that names this node is to be told of, one that has not spoken yet is not", () => {
  assertEquals(newsOf(low, { lists: [self] }), "to be told");
  assertEquals(newsOf(low, {}), "too early");
  assertEquals(newsOf(high, {}), "too early");
});

Deno.test("where neither end has named the other the lower id speaks first", () => {
  assertEquals(newsOf(high, { lists: [other] }), "to be told");
  assertEquals(newsOf(low, { lists: [other] }), "too early");
});

Deno.test("a neighbour to whom others know a way, or that is none any more, is no news", () => {
  const told = new Set([prefixHexOf(other)]);
  assertEquals(newsOf(low, { lists: [self], ways: [other], told }), "reached");
  assertEquals(newsOf(low, { lists: [self], isLinked: false }), "gone");
});

Deno.test("a way over a link of which nobody was told is none for others", () => {
  assertEquals(newsOf(low, { lists: [self], ways: [other] }), "to be told");
});
