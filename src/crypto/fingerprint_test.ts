import { assertEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { administratorFingerprint, selfFingerprint, spanningFingerprint } from "./fingerprint.ts";

// Made by `sha256sum` over the bytes that the module comment names.
Deno.test("the fingerprints of nothing are these", async () => {
  const zero = new Uint8Array(32);
  assertEquals(toHex(await selfFingerprint(0, zero)), "2c34ce1df23b838c5abf2a7f6437cca3");
  assertEquals(toHex(await administratorFingerprint(0, [])), "9a0be4ec109b7ca51504ebd60835e959");
  assertEquals(toHex(await spanningFingerprint(0, zero, [])), "756e2e87f46e31bd3a5841cd74d9588e");
});

Deno.test("the fingerprints of a sum and two administrator hashes are these", async () => {
  const sum = new Uint8Array(32).fill(0xaa);
  const hashes = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  assertEquals(toHex(await selfFingerprint(258, sum)), "fff369dd46b7618f50f46f500adaf8e5");
  assertEquals(
    toHex(await administratorFingerprint(2, hashes)),
    "81540af08b2c277b5ce66b9e75c1dc37",
  );
  assertEquals(
    toHex(await spanningFingerprint(258, sum, hashes)),
    "14011687ff179ba90fc7e3b9158cb625",
  );
});
