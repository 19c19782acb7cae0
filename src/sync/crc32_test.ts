import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { crc32 } from "./crc32.ts";

/** Bit by bit, as ISO 3309 describes it. */
function modelOf(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ 0xedb8_8320 : remainder >>> 1;
    }
  }
  return (remainder ^ 0xffff_ffff) >>> 0;
}

Deno.test("the checksum of the nine digits is the one that everybody gives", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf4_3926);
});

Deno.test("the checksum is that of the model, in however many parts the bytes come", () => {
  const anyParts = fc.array(fc.uint8Array({ maxLength: 21, size: "max" }), { maxLength: 4 });
  fc.assert(fc.property(anyParts, (parts) => {
    const joined = Uint8Array.from(parts.flatMap((part) => [...part]));
    assertEquals(crc32(...parts), modelOf(joined));
  }));
});
