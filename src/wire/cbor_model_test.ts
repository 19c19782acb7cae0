/**
 * The codec against `cborg`, which takes more forms than one: what it reads and writes back to the
 * very same bytes is what ours reads, and nothing else.
 */
import { assert, assertEquals } from "@std/assert";
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { equalBytes, toHex } from "../base/bytes.ts";
import { isDecodeError } from "../base/decode.ts";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";

/** Finite numbers, integers within 53 bits. */
const anyNumber = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -2_000, max: 2_000 }).map((n) => n / 8),
).map((n) => Number.isInteger(n) && !Number.isSafeInteger(n) ? 0 : n + 0);

const anyKey = fc.oneof(
  fc.maxSafeInteger(),
  fc.nat(30),
  fc.string({ unit: "grapheme", maxLength: 70, size: "max" }),
);

const anyValue = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    anyNumber,
    fc.string({ unit: "grapheme", maxLength: 70, size: "max" }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300, size: "max" }),
    fc.array(tie("value"), { maxLength: 30, size: "medium" }),
    fc.array(fc.tuple(anyKey, tie("value")), { maxLength: 30, size: "medium" }).map((pairs) =>
      new Map(pairs)
    ),
  ),
})).value;

/** Whether the bytes may hold a subnormal half float, for which cborg knows no form or a longer one. */
function mayBeSubnormal(bytes: Uint8Array): boolean {
  return bytes.some((byte, at) => byte === 0xf9 && ((bytes[at + 1] ?? 0) & 0x7c) === 0);
}

/** Whether cborg reads the bytes as something that it writes as these bytes. */
function isOneForm(bytes: Uint8Array): boolean {
  try {
    const value: unknown = decode(bytes, {
      useMaps: true,
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    });
    return isOurs(value) && equalBytes(encode(value, rfc8949EncodeOptions), bytes);
  } catch {
    return false;
  }
}

/** Whether all numbers are of ours, and map keys numbers or text. */
function isOurs(value: unknown): boolean {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.every(isOurs);
  if (!(value instanceof Map)) return true;
  return [...value].every(([key, item]) =>
    (typeof key === "number" || typeof key === "string") && isOurs(key) && isOurs(item)
  );
}

Deno.test("a value has the bytes that cborg gives it, and comes back from them", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeCbor(value);
      assertEquals(toHex(bytes), toHex(encode(value, rfc8949EncodeOptions)));
      const back = decodeCbor(bytes);
      assert(!isDecodeError(back));
      assertEquals(toHex(encodeCbor(back)), toHex(bytes));
    }),
    { numRuns: 500 },
  );
});

Deno.test("bytes with a few changed are taken exactly if they are the one form of something", () => {
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(anyValue, fc.array(change, { maxLength: 3 }), fc.nat(4), (value, changes, cut) => {
      const whole = encodeCbor(value);
      const bytes = whole.slice(0, Math.max(0, whole.length - cut));
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      fc.pre(!mayBeSubnormal(bytes));
      assertEquals(!isDecodeError(decodeCbor(bytes)), isOneForm(bytes), toHex(bytes));
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("any few bytes are taken exactly if they are the one form of something", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12, size: "max" }), (bytes) => {
      fc.pre(!mayBeSubnormal(bytes));
      assertEquals(!isDecodeError(decodeCbor(bytes)), isOneForm(bytes), toHex(bytes));
    }),
    { numRuns: 20_000 },
  );
});
