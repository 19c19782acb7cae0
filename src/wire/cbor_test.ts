import { assertEquals, assertInstanceOf } from "@std/assert";
import { fromHex, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { accepted, refused } from "../../tests/vectors/cbor_appendix_a.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";

function bytes(hex: string) {
  return fromHex(hex) ?? new Uint8Array(0);
}

Deno.test("what is deterministic in RFC 8949 Appendix A decodes to its value and back to its bytes", () => {
  assertEquals(accepted.length + refused.length, 82);
  for (const [hex, value] of accepted) {
    assertEquals(decodeCbor(bytes(hex)), value, hex);
    assertEquals(toHex(encodeCbor(value)), hex);
  }
});

Deno.test("what is not deterministic, or not ours, in RFC 8949 Appendix A is refused", () => {
  for (const [hex, why] of refused) assertInstanceOf(decodeCbor(bytes(hex)), DecodeError, why);
});

Deno.test("a second form of a value is refused", () => {
  const forms: readonly (readonly [string, string])[] = [
    ["1800", "one byte for a small integer"],
    ["1900ff", "two bytes for 255"],
    ["1a0000ffff", "four bytes for 65,535"],
    ["1b00000000ffffffff", "eight bytes for 2³² − 1"],
    ["3800", "one byte for −1"],
    ["5801 00", "a long length of a byte string"],
    ["7801 61", "a long length of a text"],
    ["9801 00", "a long length of an array"],
    ["b801 0000", "a long length of a map"],
    ["a2 0200 0100", "map keys not in order"],
    ["a2 616100 0100", "text keys before integer keys"],
    ["a2 0100 0100", "a repeated map key"],
    ["fa3fc00000", "1.5 in four bytes"],
    ["fb3ff8000000000000", "1.5 in eight bytes"],
    ["1b0020000000000000", "2⁵³"],
    ["61ff", "text that is not UTF-8"],
    ["0000", "something after the value"],
    ["", "nothing"],
    ["82 00", "an array cut short"],
    ["9bffffffffffffffff", "an array of 2⁶⁴ − 1 items"],
    ["5b7fffffffffffffff", "a byte string of 2⁶³ − 1 bytes"],
    ["a1 f5 00", "a map key that is neither integer nor text"],
  ];
  for (const [hex, why] of forms) {
    assertInstanceOf(decodeCbor(bytes(hex.replaceAll(" ", ""))), DecodeError, why);
  }
});

Deno.test("nesting has an end", () => {
  assertInstanceOf(decodeCbor(bytes("81".repeat(20) + "00")), DecodeError);
  assertInstanceOf(decodeCbor(bytes("81".repeat(100_000) + "00")), DecodeError);
});
