import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import type { Bytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { scaled } from "../base/instant.ts";
import { decodeBulkPage, encodeBulkRequest } from "../wire/bulk.ts";
import { allKinds, wholeRange } from "../wire/key_range.ts";
import { bulkPageBytesMin } from "../wire/limits.ts";
import { nodeIdFromBytes } from "../wire/node_id.ts";
import { BulkAnswers } from "./bulk_answers.ts";
import { bulkPagesBurst, bulkServedIdle, bulkServedMax } from "./limits.ts";
import { Peer } from "./peer.ts";

const request = encodeBulkRequest({
  kinds: allKinds,
  ranges: [wholeRange],
  after: undefined,
  bytesMax: bulkPageBytesMin,
});

function peerOf(fill: number): Peer {
  const id = nodeIdFromBytes(new Uint8Array(32).fill(fill));
  assert(id !== undefined);
  return new Peer(id, new SeededEntropy([fill]));
}

function answerer(records: number) {
  const time = new VirtualTime();
  const counters = new Counters();
  const store = new MemoryRanges(Array.from({ length: records }, (_, i) => fakeEntry(0, i, 1)));
  const answers = new BulkAnswers(new VirtualClock(time), counters, store);
  const ask = (peer: Peer, body: Bytes = request) => {
    const answer = answers.answer(peer, body);
    if (answer === undefined) return "refused";
    const page = decodeBulkPage(answer, bulkPageBytesMin);
    assert(!isDecodeError(page));
    return page.state;
  };
  return { time, counters, ask };
}

Deno.test("a few nodes are served at a time, the next one when one of them asks no more", async () => {
  const { time, counters, ask } = answerer(500);
  const peers = Array.from({ length: bulkServedMax + 1 }, (_, i) => peerOf(i + 1));
  assertEquals(peers.map((peer) => ask(peer)), [...peers.slice(1).map(() => "more"), "busy"]);
  assertEquals(counters.of("bulk request: too many served at once"), 1);
  const [first, last] = [peers[0], peers.at(-1)];
  assert(first !== undefined && last !== undefined);
  assertEquals(ask(first), "more");
  await time.advance(bulkServedIdle);
  assertEquals(ask(last), "more");
});

Deno.test("who goes on asking keeps its place, and who stopped gives it to the next", async () => {
  const { time, ask } = answerer(500);
  const [first, ...others] = Array.from({ length: 2 * bulkServedMax }, (_, i) => peerOf(i + 1));
  assert(first !== undefined);
  for (const peer of [first, ...others.slice(0, bulkServedMax - 1)]) {
    assertEquals(ask(peer), "more");
  }
  await time.advance(scaled(bulkServedIdle, 0.6));
  assertEquals(ask(first), "more");
  await time.advance(scaled(bulkServedIdle, 0.6));
  const next = others.slice(bulkServedMax - 1);
  assertEquals(next.map((peer) => ask(peer)), [...next.slice(1).map(() => "more"), "busy"]);
});

Deno.test("who has taken its last page leaves its place at once", () => {
  const { ask } = answerer(3);
  for (let i = 0; i <= bulkServedMax; i++) assertEquals(ask(peerOf(i + 1)), "end");
});

Deno.test("one node gets so many pages, and what is no request is refused by name", () => {
  const { counters, ask } = answerer(500);
  const peer = peerOf(1);
  for (let i = 0; i < bulkPagesBurst; i++) assertEquals(ask(peer), "more");
  assertEquals(ask(peer), "busy");
  assertEquals(counters.of("bulk request: peer over its budget"), 1);
  assertEquals(ask(peerOf(2)), "more");
  assertEquals(ask(peer, new Uint8Array(3)), "refused");
  assertEquals(counters.of("bulk request: cbor malformed"), 1);
});
