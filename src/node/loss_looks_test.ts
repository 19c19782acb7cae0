import { assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { Counters } from "../base/counters.ts";
import { encodeLinks, type NodeIdPrefixHex, prefixHexOf } from "../wire/links.ts";
import { linksKind } from "../wire/record_key.ts";
import { LossLooks } from "./loss_looks.ts";
import { PeerTable } from "./peer.ts";

const reporter = await RecordAuthor.create(1);
const lost = await RecordAuthor.create(2);
const orphan = await RecordAuthor.create(3);
const stranger = await RecordAuthor.create(4);

/** This node has links with the lost one and with the orphan, whom the lost one watched. */
function looking(heeded: readonly NodeIdPrefixHex[], unheeded = 0) {
  const counters = new Counters();
  const peers = new PeerTable(new SeededEntropy([1]));
  const watched = peers.open(orphan.id);
  for (const peer of [peers.open(lost.id), watched]) peers.link(peer);
  const looks: (readonly [whom: string, by: string])[] = [];
  const lossLooks = new LossLooks({
    counters,
    peers,
    readings: { reportedLosses: () => ({ heeded, unheeded }) },
    roles: {
      watchedBy: (watcher) => watcher === prefixHexOf(lost.id) ? [watched] : [],
    },
    links: {
      handleReportedLoss: (peer, by) => void looks.push([peer.id, by]),
      handleLostWatcher: (peer, watcher) => void looks.push([peer.id, `watched by ${watcher}`]),
    },
  });
  return { counters, peers, looks, lossLooks };
}

async function twoLinks() {
  const body = encodeLinks({ bootNonce: new Uint8Array(16), links: [], lost: [] });
  return {
    before: await reporter.record({ kind: linksKind, serial: 1, body }),
    after: await reporter.record({ kind: linksKind, serial: 2, body }),
  };
}

Deno.test("a neighbour reported as lost is looked at, and so is whom it watched", async () => {
  const { looks, lossLooks } = looking([prefixHexOf(lost.id)]);
  const { before, after } = await twoLinks();
  lossLooks.handleLinks(after, before);
  assertEquals(looks, [
    [lost.id, prefixHexOf(reporter.id)],
    [orphan.id, `watched by ${prefixHexOf(lost.id)}`],
  ]);
});

Deno.test("who is no neighbour any more is not looked at, but whom it watched is", async () => {
  const { looks, lossLooks, peers } = looking([prefixHexOf(lost.id)]);
  peers.unlink(peers.open(lost.id));
  const { before, after } = await twoLinks();
  lossLooks.handleLinks(after, before);
  assertEquals(looks, [[orphan.id, `watched by ${prefixHexOf(lost.id)}`]]);
});

Deno.test("when this node loses a watcher itself it looks at whom that one watched", () => {
  const { looks, lossLooks } = looking([]);
  lossLooks.handleLost(prefixHexOf(stranger.id));
  assertEquals(looks, []);
  lossLooks.handleLost(prefixHexOf(lost.id));
  assertEquals(looks, [[orphan.id, `watched by ${prefixHexOf(lost.id)}`]]);
});

Deno.test("losses that are not to be heeded are counted and looked at by nobody", async () => {
  const { counters, looks, lossLooks } = looking([], 3);
  const { before, after } = await twoLinks();
  lossLooks.handleLinks(after, before);
  assertEquals([looks, counters.of("loss reported of no neighbour")], [[], 3]);
});
