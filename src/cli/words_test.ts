import { assert, assertEquals } from "@std/assert";
import { formatAge, formatLength, formatPercent, formatRtt, textWidth } from "./format.ts";
import { editDistance, nearestWords } from "./nearest.ts";
import { type OptionSpec, ParsedWords, parseWords } from "./options.ts";

Deno.test("lengths and ages are short", () => {
  assertEquals(formatLength(340), "340 ms");
  assertEquals(formatLength(59_999), "59s");
  assertEquals(formatLength(3_599_000), "59m");
  assertEquals(formatLength(86_400_000), "24h");
  assertEquals(formatLength(12 * 86_400_000), "12d");
  assertEquals(formatAge(3_200), "3s ago");
  assertEquals(formatAge(-200), "just now");
  assertEquals(formatAge(-7_200_000), "in 2h");
  assertEquals(formatRtt(0.4242), "0.42 ms");
  assertEquals(formatRtt(42.42), "42.4 ms");
  assertEquals(formatRtt(420.2), "420 ms");
  assertEquals(formatPercent(33.333), "33.3%");
  assertEquals(formatPercent(5), "5%");
});

Deno.test("wide and combining characters count as a terminal shows them", () => {
  assertEquals(textWidth("abc"), 3);
  assertEquals(textWidth("日本"), 4);
  assertEquals(textWidth("e\u0301"), 1);
});

Deno.test("near words are found by edits, far ones are not", () => {
  assertEquals(editDistance("status", "status"), 0);
  assertEquals(editDistance("statsu", "status"), 1);
  assertEquals(editDistance("", "abc"), 3);
  assertEquals(editDistance("kitten", "sitting"), 3);
  assertEquals(nearestWords("lnks", ["links", "node", "ping"]), ["links"]);
  assertEquals(nearestWords("xyzzy", ["links", "node", "ping"]), []);
});

const table: readonly OptionSpec[] = [
  { name: "count", short: "c", value: "N", help: "" },
  { name: "quiet", short: "q", help: "" },
  { name: "label", value: "K=V", many: true, help: "" },
];

function parsed(...args: readonly string[]): ParsedWords {
  const result = parseWords(args, table);
  assert(result instanceof ParsedWords, JSON.stringify(result));
  return result;
}

Deno.test("words after -- are no options, and a lone dash is a word", () => {
  const { words } = parsed("a", "-", "--", "--quiet", "-c");
  assertEquals(words, ["a", "-", "--quiet", "-c"]);
});

Deno.test("letters may share a word, and the last may bring its value", () => {
  const result = parsed("-qqc3", "x", "--label", "a=b", "--label=c=d");
  assert(result.has("quiet"));
  assertEquals(result.value("count"), "3");
  assertEquals(result.words, ["x"]);
  assertEquals(result.values("label"), ["a=b", "c=d"]);
});

Deno.test("the last value of an option counts, and a value may begin with a dash", () => {
  assertEquals(parsed("-c", "1", "--count=2").value("count"), "2");
  assertEquals(parsed("-c", "-1").value("count"), "-1");
  assertEquals(parsed("--label=--quiet").value("label"), "--quiet");
  assert(!(parseWords(["--label", "--quiet"], table) instanceof ParsedWords));
  assert(!(parseWords(["--label"], table) instanceof ParsedWords));
});
