import { assertEquals } from "@std/assert";
import { breaches } from "../../scripts/tidy.ts";
import { sourceFiles } from "../../scripts/house.ts";

function file(path: string, text: string, imports: readonly string[] = []) {
  return { path, text, imports };
}

Deno.test("the house is in order", async () => {
  assertEquals(breaches(await sourceFiles("src", "tests", "scripts", "build", "bench")), []);
});

Deno.test("tidy sees a sibling import, an upward import and a way around mod.ts", () => {
  assertEquals(
    breaches([
      file("src/sync/a.ts", "", ["src/discovery/mod.ts"]),
      file("src/wire/a.ts", "", ["src/session/mod.ts"]),
      file("src/session/a.ts", "", ["src/identity/chain.ts"]),
    ]).length,
    3,
  );
});

Deno.test("tidy sees ambient time, randomness, runtime, cryptography and lost errors", () => {
  const bad = ["Date.now()", "Math.random()", "Deno.cwd()", "crypto.subtle.digest", "const x: any"];
  for (const text of bad) {
    assertEquals(breaches([file("src/sync/a.ts", `const a = 1;\n${text};`)]).length, 1, text);
  }
  const emptyCatch = "try { f(); } catch " + "{}";
  assertEquals(breaches([file("src/sync/a.ts", emptyCatch)]).length, 1);
  assertEquals(breaches([file("tests/e2e/a_test.ts", "await delay(5);")]).length, 1);
});

Deno.test("tidy sees a property that would never reach the size it names", () => {
  const sized = (options: string) =>
    breaches([file("src/sync/a_test.ts", `const a = fc.array(one, { ${options} });`)]).length;
  assertEquals(sized("maxLength: 80"), 1);
  assertEquals(sized("minLength: 1, maxLength: 11"), 1);
  assertEquals(sized('maxLength: 80, size: "max"'), 0);
  assertEquals(sized("maxLength: 9"), 0);
  assertEquals(sized("minLength: 32, maxLength: 32"), 0);
});

Deno.test("tidy does not mind words in comments and strings", () => {
  assertEquals(breaches([file("src/sync/a.ts", '// Date.now\nconst a = "Deno.cwd";')]), []);
});
