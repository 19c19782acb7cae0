import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { DecodeError } from "../base/decode.ts";
import { nodeIdOf, parsePublicKey } from "../crypto/mod.ts";
import { authorIdOf } from "./author_ids.ts";
import { authorIdsKept } from "./limits.ts";

/** A key like no other in this file; whether it lies on the curve, nobody asks. */
function rawKey(number: number): Uint8Array {
  const raw = new Uint8Array(32).fill(7);
  new DataView(raw.buffer).setUint32(0, number);
  return raw;
}

async function idOf(raw: Uint8Array) {
  const key = parsePublicKey(raw);
  assert(!(key instanceof DecodeError));
  return await nodeIdOf(key);
}

Deno.test("a key's id is the same whether it is remembered, forgotten or new", async () => {
  const first = rawKey(0);
  const expected = await idOf(first);
  assertEquals(await authorIdOf(first), expected);
  assertEquals(await authorIdOf(first), expected);
  for (let number = 1; number <= authorIdsKept; number++) await authorIdOf(rawKey(number));
  assertEquals(await authorIdOf(first), expected);
  const last = rawKey(authorIdsKept);
  assertEquals(await authorIdOf(last), await idOf(last));
});

Deno.test("what is remembered of a key does not follow its memory", async () => {
  const raw = rawKey(9_000);
  await authorIdOf(raw);
  raw[0] = 1;
  assertEquals(await authorIdOf(raw), await idOf(raw));
});

Deno.test("keys that nobody can have are refused, however often they come", async () => {
  for (let time = 0; time < 2; time++) {
    assertInstanceOf(await authorIdOf(new Uint8Array(32)), DecodeError);
    assertInstanceOf(await authorIdOf(new Uint8Array(31).fill(7)), DecodeError);
  }
});
