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

/** Phrases of the last column of the table that begins with these words. */
function countedPhrases(text: string): string[] {
  const table = /\| a neighbour that .*?\n\n/s.exec(text)?.[0] ?? "";
  return table.split("\n").slice(2).flatMap((row) => {
    const last = row.split("|").at(-2) ?? "";
    return [...last.matchAll(/`([^`]+)`/g)].map(([, phrase = ""]) => phrase);
  });
}

/** The program's own text, tests left out. */
async function sourceText(folder: string): Promise<string> {
  let text = "";
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) text += await sourceText(path);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
      text += await Deno.readTextFile(path);
    }
  }
  return text;
}

Deno.test("every name under which SECURITY.md says that a lie is counted is one the program counts", async () => {
  const phrases = countedPhrases(await Deno.readTextFile(`${root}/SECURITY.md`));
  assert(phrases.length > 15, "it names counts");
  const source = await sourceText(`${root}/src`);
  // Some are put together: what happened, and in what.
  const isCounted = (phrase: string) => {
    const [, what = "", why = ""] = /^(relayed |[\w ]+: )(.*)$/.exec(phrase) ?? [];
    return source.includes(`"${phrase}"`) ||
      (what !== "" && source.includes(`\`${what}\${`) && source.includes(`"${why}"`));
  };
  assertEquals(phrases.filter((phrase) => !isCounted(phrase)), []);
});

Deno.test("a sentence across two lines and a list of sentences are read", () => {
  const quoted = quotedTests('`a/b_test.ts` "one\n two", "three"; `c_test.ts` (all)');
  assertEquals([...quoted], [["a/b_test.ts", ["one two", "three"]], ["c_test.ts", []]]);
});
