import { assert, assertEquals } from "@std/assert";
import { instant, wallTime } from "../base/instant.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { allKinds, wholeRange } from "../wire/key_range.ts";
import type { RecordRanges } from "./range_summary.ts";
import { answerCompare, digestOf } from "./reconcile.ts";
import { RecordStore } from "./record_store.ts";

const now = instant(5_000);
const wall = wallTime(1_800_000_000_000);

Deno.test("the record store is what reconciliation walks over", async () => {
  const authors = await Promise.all([1, 2, 3].map((number) => RecordAuthor.create(number)));
  const [self] = authors;
  assert(self !== undefined);
  const left = new RecordStore({ selfId: self.id });
  const right = new RecordStore({ selfId: self.id });
  const ranges: RecordRanges = left;
  for (const [i, author] of authors.entries()) {
    const record = await author.record({ serial: 1_800_000_000_000, signedAt: 1_800_000_000_000 });
    assertEquals(left.admit(record, now, wall).kind, "stored");
    if (i > 0) right.admit(record, now, wall);
  }
  const request = {
    kind: "compare",
    kinds: allKinds,
    ranges: [{ ...wholeRange, fingerprint: await digestOf(right) }],
    held: right.size,
  } as const;
  const different = await answerCompare(ranges, request);
  const [result] = different.results;
  assert(result?.kind === "list");
  assertEquals(result.offers.map((offer) => offer.key), [...left.records()].map(({ key }) => key));
  assertEquals((await answerCompare(right, request)).results, [{ kind: "equal" }]);
});
