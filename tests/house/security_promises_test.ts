import { assert, assertEquals } from "@std/assert";
import { root } from "../../scripts/house.ts";

/** Files with the sentences that SECURITY.md quotes from them. */
function quotedTests(text: string): Map<string, string[]> {
  const flat = text.replace(/\s+/g, " ");
  const quoted = new Map<string, string[]>();
  for (const [, path = "", list = ""] of flat.matchAll(/`([\w/]+_test\.ts)`((?:,? "[^"]+")*)/g)) {
    const sentences = [...list.matchAll(/"([^"]+)"/g)].map(([, sentence = ""]) => sentence);
    quoted.set(path, [...quoted.get(path) ?? [], ...sentences]);
  }
  return quoted;
}

Deno.test("every promise of SECURITY.md names tests that are there", async () => {
  const quoted = quotedTests(await Deno.readTextFile(`${root}/SECURITY.md`));
  assert(quoted.size > 15, "it names tests");
  const missing: string[] = [];
  for (const [path, sentences] of quoted) {
    const text = await Deno.readTextFile(`${root}/${path}`);
    for (const sentence of sentences) {
      if (!text.includes(sentence)) missing.push(`${path}: ${sentence}`);
    }
  }
  assertEquals(missing, []);
});

Deno.test("a sentence across two lines and a list of sentences are read", () => {
  const quoted = quotedTests('`a/b_test.ts` "one\n two", "three"; `c_test.ts` (all)');
  assertEquals([...quoted], [["a/b_test.ts", ["one two", "three"]], ["c_test.ts", []]]);
});
