import { assert, assertEquals, assertMatch } from "@std/assert";
import { root, sourceFiles } from "../../scripts/house.ts";
import { differences, mended, protocolBlocks } from "../../scripts/protocol_examples.ts";

const document = await Deno.readTextFile(`${root}/PROTOCOL.md`);

Deno.test("PROTOCOL.md shows the bytes, limits and sizes that the code makes", async () => {
  assertEquals(differences(document, await protocolBlocks()), []);
});

Deno.test("a changed, a missing, an unknown and a doubled block are seen, and mended", async () => {
  const blocks = await protocolBlocks();
  const text = blocks.get("hex who-are-you") ?? "";
  assert(text.length > 0 && document.includes(text));
  const changed = document.replace(text, text.replace("61", "62"));
  assertEquals(differences(changed, blocks), [
    "hex who-are-you: differs from what the code makes",
  ]);
  assertEquals(differences(mended(changed, blocks), blocks), []);
  assertEquals(differences(document.replace("hex who-are-you", "hex who-am-i"), blocks), [
    "hex who-am-i: nothing in the code is called so",
    "hex who-are-you: is missing",
  ]);
  assertEquals(differences(`${document}\n\`\`\`hex who-are-you\n${text}\`\`\`\n`, blocks), [
    "hex who-are-you: stands there twice",
  ]);
  assertEquals(differences(document.replace("| 1,232 B", "| 1,233 B"), blocks), [
    "table: limits: differs from what the code makes",
  ]);
});

Deno.test("the examples are the same bytes every time", async () => {
  assertEquals(await protocolBlocks(), await protocolBlocks());
});

Deno.test("every purpose in the source stands in PROTOCOL.md, and no other", async () => {
  const inSource = new Set<string>();
  for (const { path, text } of await sourceFiles("src")) {
    if (path.endsWith("_test.ts")) continue;
    for (const [, label] of text.matchAll(/"(mesh v1 [a-z ]+)"/g)) inSource.add(label ?? "");
  }
  const section = document.slice(document.indexOf("### 1.3"), document.indexOf("## 2 "));
  const inDocument = [...section.matchAll(/^\| `(mesh v1 [a-z ]+)`/gm)].map(([, label]) => label);
  assertEquals([...inSource].sort(), inDocument.sort());
});

Deno.test("the source cites sections that PROTOCOL.md has", async () => {
  const sections = new Set(
    [...document.matchAll(/^##+ (\d+(?:\.\d+)?) /gm)].map(([, number]) => number),
  );
  let cited = 0;
  for (const { path, text } of await sourceFiles("src", "tests", "scripts")) {
    for (const [, list = ""] of text.matchAll(/PROTOCOL((?:,? (?:and )?§\d+(?:\.\d+)?)+)/g)) {
      for (const [, number] of list.matchAll(/§(\d+(?:\.\d+)?)/g)) {
        cited++;
        assert(sections.has(number), `${path} cites PROTOCOL §${number}`);
      }
    }
  }
  assert(cited > 40);
  assertMatch([...sections].join(" "), /^1 1\.1 .* 11$/);
});
