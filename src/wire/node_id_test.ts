import { assertEquals } from "@std/assert";
import { encodeBase32 } from "@std/encoding";
import fc from "fast-check";
import { nodeIdFromBytes, nodeIdPrefix, nodeIdToBytes, parseNodeId } from "./node_id.ts";

const anyId = fc.uint8Array({ minLength: 32, maxLength: 32 });

Deno.test("an id's text is what RFC 4648 says of its bytes, and leads back to them", () => {
  fc.assert(fc.property(anyId, (bytes) => {
    const id = nodeIdFromBytes(bytes);
    if (id === undefined) throw new Error("32 bytes are an id");
    assertEquals<string>(id, encodeBase32(bytes).slice(0, 52).toLowerCase());
    assertEquals(nodeIdToBytes(id), new Uint8Array(bytes));
    assertEquals(nodeIdPrefix(id), new Uint8Array(bytes.subarray(0, 16)));
    assertEquals(parseNodeId(id), id);
  }));
});

Deno.test("a text that is not exactly an id's own is none", () => {
  const id = "a".repeat(52);
  assertEquals<string | undefined>(parseNodeId(id), id);
  // The last letter carries one bit: `b` and `q` differ in it, `b` sets one of the four behind it.
  assertEquals<string | undefined>(parseNodeId(`${"a".repeat(51)}q`), `${"a".repeat(51)}q`);
  const none = ["", "a".repeat(51), "a".repeat(53), "A".repeat(52), `${"a".repeat(51)}b`];
  for (const letter of ["1", "8", "=", " ", "é", "\u{1F600}"]) none.push(letter + "a".repeat(51));
  for (const text of none) assertEquals(parseNodeId(text), undefined, text);
  for (const length of [0, 31, 33]) {
    assertEquals(nodeIdFromBytes(new Uint8Array(length)), undefined);
  }
});
