import { assert, assertEquals } from "@std/assert";
import { answerMessageMax } from "../wire/limits.ts";
import { encodeAnswer } from "../wire/message.ts";
import { fakeEntry, MemoryRanges } from "../../tests/fixtures/record_ranges.ts";
import { answerFetch, settleFetch } from "./transfer.ts";

const entries = [1, 2, 3, 4, 5].map((author) => ({
  ...fakeEntry(0, author, 1),
  bytes: new Uint8Array(400).fill(author),
}));
const keys = entries.map((entry) => entry.key);

Deno.test("a fetch is answered in the order asked, as far as it fits", () => {
  const store = new MemoryRanges(entries.filter((_, i) => i !== 1));
  const answer = answerFetch(store, { kind: "fetch", keys });
  assertEquals(answer.records.map((record) => record[0]), [1, 3]);
  assert(encodeAnswer(answer).length <= answerMessageMax);
});

Deno.test("what is missing is told apart from what had no room", () => {
  const came = entries.filter((_, i) => i === 0 || i === 2);
  const outcome = settleFetch(keys, came);
  assertEquals(outcome.asked, came);
  assertEquals(outcome.missing, keys.slice(1, 2));
  assertEquals(outcome.again, keys.slice(3));
  assertEquals(outcome.unasked, 0);
  const nothing = settleFetch(keys, []);
  assertEquals([nothing.missing, nothing.again], [keys, []]);
});

Deno.test("records that nobody asked for, or that come twice, are only counted", () => {
  const [first, second] = entries;
  assert(first !== undefined && second !== undefined);
  const outcome = settleFetch([first.key], [second, first, first]);
  assertEquals(outcome.asked, [first]);
  assertEquals(outcome.unasked, 2);
  assertEquals(outcome.again, []);
});
