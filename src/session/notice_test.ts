import { assertEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { cookieNeededNotice, decodeTimeNotice, encodeTimeNotice } from "./notice.ts";

Deno.test("notices are the bytes that PROTOCOL says", () => {
  assertEquals(toHex(encodeTimeNotice(1_000_000)), "83" + "00" + "01" + "1a000f4240");
  assertEquals(toHex(cookieNeededNotice), "83" + "00" + "02" + "00");
});

Deno.test("a told time is read up to the largest, and from no other message", () => {
  for (const time of [0, 23, 24, 1_000_000, Number.MAX_SAFE_INTEGER]) {
    assertEquals(decodeTimeNotice(encodeTimeNotice(time)), time);
  }
  assertEquals(decodeTimeNotice(cookieNeededNotice), undefined);
  assertEquals(decodeTimeNotice(new Uint8Array([0x83, 0, 1])), undefined);
  assertEquals(decodeTimeNotice(new Uint8Array([0x83, 0, 1, 0x20])), undefined);
  assertEquals(decodeTimeNotice(new Uint8Array(0)), undefined);
});

Deno.test("no bytes make the reader of notices throw", () => {
  const seed = [0x6e6f, 1, 2, 3];
  const prng = new Prng(seed);
  for (let i = 0; i < 100_000; i++) {
    const bytes = new Uint8Array(prng.below(14)).map(() => prng.below(256));
    if (bytes.length > 2 && prng.below(8) > 0) bytes.set([0x83, 0, 1]);
    try {
      decodeTimeNotice(bytes);
    } catch (cause) {
      throw new Error(`seed ${seed} case ${i}: ${toHex(bytes)}`, { cause });
    }
  }
});
