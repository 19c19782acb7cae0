/**
 * Deterministic CBOR (RFC 8949 §4.2.1), on `cborg`. What is decoded is encoded again and compared,
 * so every value has exactly one form on the wire: no indefinite lengths, no long integers, map
 * keys in bytewise order, no duplicates, no tags, no invalid UTF-8.
 *
 * Integers are safe ones (53 bits); larger ones are refused.
 *
 * @module
 */
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { type Bytes, copyBytes, equalBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";

/** What mesh says in CBOR. */
export type CborValue =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number | string, CborValue>;

/** Deepest nesting accepted: no message of ours goes past six. */
const cborDepthMax = 16;

/** Encodes the value in its one deterministic form. */
export function encodeCbor(value: CborValue): Bytes {
  return copyBytes(encode(value, rfc8949EncodeOptions));
}

function asCborValue(value: unknown, depth: number): CborValue | undefined {
  if (depth > cborDepthMax) return undefined;
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    return !Number.isInteger(value) || Number.isSafeInteger(value) ? value : undefined;
  }
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) {
    const items: CborValue[] = [];
    for (const item of value) {
      const checked = asCborValue(item, depth + 1);
      if (checked === undefined) return undefined;
      items.push(checked);
    }
    return items;
  }
  if (value instanceof Map) {
    const entries = new Map<number | string, CborValue>();
    for (const [key, item] of value) {
      if (typeof key !== "number" && typeof key !== "string") return undefined;
      const checked = asCborValue(item, depth + 1);
      if (checked === undefined) return undefined;
      entries.set(key, checked);
    }
    return entries;
  }
  return undefined;
}

/** Decodes exactly one value that fills `bytes` in its one form. Never throws. */
export function decodeCbor(bytes: Uint8Array): CborValue | DecodeError {
  try {
    const value = asCborValue(
      decode(bytes, {
        useMaps: true,
        strict: true,
        allowIndefinite: false,
        allowUndefined: false,
        allowInfinity: false,
        allowNaN: false,
        allowBigInt: false,
        rejectDuplicateMapKeys: true,
      }),
      0,
    );
    if (value === undefined) return new DecodeError("cbor value not allowed");
    if (!equalBytes(encodeCbor(value), bytes)) return new DecodeError("cbor not deterministic");
    return value;
  } catch {
    // cborg reports malformed input by throwing; the reason would only repeat a peer's bytes.
    return new DecodeError("cbor malformed");
  }
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
  return new TextEncoder().encode(value).length <= maxBytes ? value : undefined;
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
