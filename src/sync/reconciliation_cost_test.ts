import { assert, assertEquals } from "@std/assert";
import { later } from "../base/instant.ts";
import { allKinds } from "../wire/key_range.ts";
import { encodeAnswer, encodeRequest } from "../wire/message.ts";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import { honest, now, play } from "../../tests/fixtures/played_reconciliation.ts";
import { bulkOtherSide, reconcileAgain, reconcileRoundsMax } from "./limits.ts";
import { answerProbe, digestOf } from "./reconcile.ts";

/** What a request and its answer cost beside their messages: seals, tags, IPv6 and UDP headers. */
const datagramOverheads = 126 + 55 + 2 * 48;

Deno.test("10,000 records with 10 differences cost less than 10 KB and 10 round trips", async () => {
  const common = Array.from({ length: 10_000 }, (_, i) => fakeEntry(i % 2, i >> 1, 5));
  const a = new MemoryRanges(common);
  const b = new MemoryRanges(common);
  for (let i = 0; i < 10; i++) (i % 2 ? a : b).admit(fakeEntry(i % 2, 313 + 400 * i, 6));
  const traffic = { requestBytes: 0, answerBytes: 0 };
  const done = await play(a, honest(b), b, allKinds, traffic);
  console.log(
    `10,000 records, 10 differences: ${done.rounds} rounds with the closing one, ` +
      `${traffic.requestBytes} bytes of requests, ${traffic.answerBytes} of answers`,
  );
  assertEquals([done.equal, done.fetched, done.pushed], [true, 5, 5]);
  assert(done.rounds < 10, `${done.rounds} rounds`);
  const bytes = traffic.requestBytes + traffic.answerBytes + done.rounds * datagramOverheads;
  assert(bytes < 10_000, `${bytes} bytes`);
});

Deno.test("stores that are equal find that out with one exchange of less than 400 bytes", async () => {
  const store = new MemoryRanges(
    Array.from({ length: 1_000 }, (_, i) => fakeEntry(i % 2, i >> 1, 5)),
  );
  const probe = { kind: "probe", kinds: allKinds, digest: await digestOf(store) } as const;
  const answer = await answerProbe(store, probe);
  assertEquals(answer.digest, probe.digest);
  const bytes = encodeRequest(probe).length + encodeAnswer(answer).length + datagramOverheads;
  assert(bytes < 400, `${bytes} bytes`);
});

Deno.test("a big difference is walked within the bounds and goes on in the next reconciliation", async () => {
  const full = new MemoryRanges(Array.from({ length: 3_000 }, (_, i) => fakeEntry(0, i, 1)));
  const empty = new MemoryRanges();
  let reconciliations = 0;
  for (;;) {
    reconciliations++;
    const done = await play(empty, honest(full), full);
    assert(done.rounds <= reconcileRoundsMax);
    if (done.equal) break;
    assertEquals(done.again, later(now, reconcileAgain));
  }
  assertEquals(empty.all().length, 3_000);
  console.log(`3,000 records from nothing: ${reconciliations} reconciliations`);
  // The other way round nothing is pushed: who lacks most of it takes it.
  const other = new MemoryRanges();
  const left = await play(full, honest(other), other);
  assertEquals([left.reason, other.size, left.rounds], ["left to the peer", 0, 1]);
  assertEquals(left.again, later(now, bulkOtherSide));
});
