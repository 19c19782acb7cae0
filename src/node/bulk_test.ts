import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { provenBy } from "../../tests/fixtures/proven.ts";
import { ip } from "../../tests/sim/memory_network.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import type { Bytes } from "../base/bytes.ts";
import { isDecodeError } from "../base/decode.ts";
import { Counters } from "../base/counters.ts";
import { Prng } from "../base/prng.ts";
import { recordKeyOf } from "../sync/mod.ts";
import { decodeBulkRequest, encodeBulkPage } from "../wire/bulk.ts";
import { allKinds, lowestBound } from "../wire/key_range.ts";
import type { NodeId } from "../wire/node_id.ts";
import { type RecordKey, recordKeyAuthor } from "../wire/record_key.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { Background } from "./background.ts";
import { Bulk } from "./bulk.ts";
import { bulkNewAuthorsBurst } from "./limits.ts";
import { shedReasons } from "./overload.ts";
import { PeerTable } from "./peer.ts";
import { WorkBudget } from "./work_budget.ts";

/** Of long records, so that a page that is not the last is as long as it must be. */
const pageRecords = 200;
const body = new Uint8Array(800);
const place = {
  local: socketAddress(ip("10.0.0.1"), 7411),
  remote: socketAddress(ip("10.0.0.2"), 7411),
};

/** Signed records of so many authors, in the order of their keys. */
async function recordsOf(count: number): Promise<(readonly [RecordKey, Bytes])[]> {
  const records = await Promise.all(Array.from({ length: count }, async (_, number) => {
    const bytes = await (await RecordAuthor.create(number)).sign({ body });
    const key = await recordKeyOf(bytes);
    assert(!isDecodeError(key));
    return [key, bytes] as const;
  }));
  return records.sort(([a], [b]) => a < b ? -1 : 1);
}

/** A node that takes in bulk from neighbours, each of which has all those records. */
async function taker(records: readonly (readonly [RecordKey, Bytes])[], newAuthors: WorkBudget) {
  const clock = new VirtualClock(new VirtualTime());
  const counters = new Counters();
  const background = new Background(() => {});
  const peers = new PeerTable(new SeededEntropy([1]));
  const known = new Set<NodeId>();
  const neighbours = await Promise.all([901, 902].map((number) => RecordAuthor.create(number)));
  let [dialled, pages] = [0, 0];
  const compared: NodeId[] = [];
  const state = { isReached: true, stops: false };
  const stopping = new AbortController();
  const bulk: Bulk = new Bulk({
    clock,
    counters,
    background,
    prng: new Prng([1]),
    peers,
    newAuthors,
    stopping: stopping.signal,
    authenticator: {
      dial: async (_to, _signal, _onConnected, onProven) => {
        if (state.stops) stopping.abort();
        if (!state.isReached) return { kind: "failed", why: "refused", detail: "closed" };
        const result = provenBy(neighbours[dialled++] ?? fail());
        await onProven?.({
          result,
          place,
          askRecords: (request) => {
            pages++;
            const asked = decodeBulkRequest(request);
            assert(!isDecodeError(asked));
            const left = records.filter(([key]) => asked.after === undefined || key > asked.after);
            const page = left.slice(0, pageRecords).map(([, bytes]) => bytes);
            const state = left.length > pageRecords ? "more" : "end";
            return Promise.resolve(encodeBulkPage({ state, records: page }));
          },
        });
        return { kind: "proven", result, place };
      },
    },
    owner: {
      addressesOf: () => [place.remote],
      handleDialled: () => {},
      compareWith: ({ id }) => void compared.push(id),
      isKnown: (id) => known.has(id),
      takePage: async (page) => {
        for (const bytes of page) {
          const key = await recordKeyOf(bytes);
          if (!isDecodeError(key)) known.add(recordKeyAuthor(key));
        }
        return { taken: page.length, isForged: false };
      },
    },
  });
  /** Takes all it can from that neighbour. */
  const takeFrom = async (number: number) => {
    const { id } = neighbours[number] ?? fail();
    bulk.want(peers.open(id), { kinds: allKinds, ranges: [{ low: lowestBound, high: undefined }] });
    await background.settled();
  };
  /** The neighbour of that number, with a link. */
  const link = (number: number): NodeId => {
    const { id } = neighbours[number] ?? fail();
    peers.link(peers.open(id));
    return id;
  };
  return { takeFrom, link, known, counters, compared, state, pages: () => pages };
}

function fail(): never {
  throw new Error("nobody is to be dialled");
}

Deno.test("made-up authors end a transfer once their ration is used up, whoever brings them", async () => {
  const { takeFrom, known, counters, pages } = await taker(
    await recordsOf(700),
    new WorkBudget(450, 0),
  );
  await takeFrom(0);
  assertEquals([known.size, pages()], [450, 3]);
  assertEquals(counters.of("bulk: over the ration"), 1);
  assertEquals(counters.of(shedReasons.newAuthors), 150);
  // Another of the liar's names brings none either, and costs a page.
  await takeFrom(1);
  assertEquals([known.size, pages()], [450, 4]);
});

Deno.test("a fleet of 50,000 is less than the ration, and those that are known cost none of it", async () => {
  assert(bulkNewAuthorsBurst > 50_000);
  const records = await recordsOf(700);
  const { takeFrom, known, counters } = await taker(records, new WorkBudget(450, 0));
  for (const [key] of records.slice(0, 300)) known.add(recordKeyAuthor(key));
  await takeFrom(0);
  assertEquals([known.size, counters.of("bulk: complete")], [700, 1]);
  assertEquals(counters.of(shedReasons.newAuthors), 0);
});

Deno.test("when a neighbour gives nothing the links are compared with: one of them holds it", async () => {
  const { takeFrom, link, compared, counters, state } = await taker([], new WorkBudget(450, 0));
  const [first, second] = [link(0), link(1)];
  state.isReached = false;
  await takeFrom(0);
  assertEquals(counters.of("bulk: not reached"), 1);
  assertEquals(new Set(compared), new Set([first, second]));
});

Deno.test("records are not taken from another node that stands at a neighbour's address", async () => {
  const { takeFrom, known, counters, pages } = await taker(
    await recordsOf(3),
    new WorkBudget(450, 0),
  );
  // Who answers there first is the first of the neighbours.
  await takeFrom(1);
  assertEquals([known.size, pages()], [0, 0]);
  assertEquals(counters.of("bulk: another node there"), 1);
});

Deno.test("a node that stops while it takes records compares with nobody any more", async () => {
  const { takeFrom, link, compared, state } = await taker([], new WorkBudget(450, 0));
  link(0);
  state.isReached = false;
  state.stops = true;
  await takeFrom(0);
  assertEquals(compared, []);
});
