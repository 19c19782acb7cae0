/**
 * Deterministic CBOR (RFC 8949 §4.2.1): every value has exactly one form on the wire, and no other is
 * taken: no indefinite lengths, no long integers, map keys in bytewise order, no duplicates, no tags,
 * no invalid UTF-8.
 *
 * Integers are safe ones (53 bits); larger ones are refused.
 *
 * @module
 */
import { type Bytes, copyBytes } from "../base/bytes.ts";
import type { DecodeError } from "../base/decode.ts";
import { CborReader } from "./cbor_reader.ts";
import type { CborValue } from "./cbor_value.ts";
import { CborWriter } from "./cbor_writer.ts";

export type { CborValue };

const writer = new CborWriter();
const encoder = new TextEncoder();

/** Encodes the value in its one deterministic form. */
export function encodeCbor(value: CborValue): Bytes {
  writer.clear();
  writer.write(value);
  return writer.taken();
}

/**
 * Decodes exactly one value that fills `bytes` in its one form. Never throws. Byte strings in it are
 * views of `bytes`; `asBytes` gives them memory of their own.
 */
export function decodeCbor(bytes: Uint8Array): CborValue | DecodeError {
  return new CborReader(bytes).readAll();
}

/** A non-negative integer, at most `max`; otherwise `undefined`. */
export function asUint(value: CborValue | undefined, max = Number.MAX_SAFE_INTEGER) {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 &&
      !Object.is(value, -0) && value <= max
    ? value
    : undefined;
}

/** A byte string of `min` to `max` bytes (exactly `min` if `max` is left out), with its own memory. */
export function asBytes(
  value: CborValue | undefined,
  min: number,
  max: number = min,
): Bytes | undefined {
  return value instanceof Uint8Array && value.length >= min && value.length <= max
    ? copyBytes(value)
    : undefined;
}

/** Text of at most `maxBytes` bytes of UTF-8; otherwise `undefined`. */
export function asText(value: CborValue | undefined, maxBytes: number): string | undefined {
  if (typeof value !== "string" || value.length > maxBytes) return undefined;
  // No character takes more than three bytes, or four for a pair.
  if (3 * value.length <= maxBytes) return value;
  return encoder.encode(value).length <= maxBytes ? value : undefined;
}

/** An array of at most `maxItems`; otherwise `undefined`. */
export function asArray(
  value: CborValue | undefined,
  maxItems: number,
): readonly CborValue[] | undefined {
  return Array.isArray(value) && value.length <= maxItems ? value : undefined;
}

/** A map; otherwise `undefined`. */
export function asMap(
  value: CborValue | undefined,
): ReadonlyMap<number | string, CborValue> | undefined {
  return value instanceof Map ? value : undefined;
}
