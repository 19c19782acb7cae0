/**
 * Reads a value and sees to it that it stands in its one deterministic form (RFC 8949 §4.2.1), byte
 * by byte as it comes: the shortest head, the shortest float, map keys strictly ascending in their
 * encoded bytes. No indefinite lengths, no tags, no `undefined`, no NaN, no infinity, no invalid
 * UTF-8; integers are safe ones (53 bits).
 *
 * @module
 */
import { compareBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import type { CborValue } from "./cbor_value.ts";

/** Deepest nesting accepted: no message of ours goes past six. */
const cborDepthMax = 16;

/** Most bytes of a text that is read letter by letter. */
const shortText = 16;

const malformed = new DecodeError("cbor malformed");
const notAllowed = new DecodeError("cbor value not allowed");
const notDeterministic = new DecodeError("cbor not deterministic");

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads one value that fills the bytes; to be used once. Byte strings are views of them. */
export class CborReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The value. Never throws. */
  readAll(): CborValue | DecodeError {
    const value = this.#read(0);
    if (value instanceof DecodeError) return value;
    return this.#at === this.#bytes.length ? value : malformed;
  }

  #read(depth: number): CborValue | DecodeError {
    if (depth > cborDepthMax) return notAllowed;
    const first = this.#bytes[this.#at];
    if (first === undefined) return malformed;
    const major = first >> 5;
    if (major === 7) return this.#readSimple(first);
    if (major === 6) return malformed;
    const argument = this.#readArgument(first & 31);
    if (argument instanceof DecodeError) return argument;
    switch (major) {
      case 0:
        return argument;
      case 1:
        return Number.isSafeInteger(-1 - argument) ? -1 - argument : notAllowed;
      case 2:
        return this.#take(argument);
      case 3:
        return this.#readText(argument);
      case 4:
        return this.#readArray(argument, depth);
      default:
        return this.#readMap(argument, depth);
    }
  }

  /** The number in a head, which is the shortest that says it. */
  #readArgument(info: number): number | DecodeError {
    this.#at += 1;
    if (info < 24) return info;
    const length = info > 27 ? 0 : 1 << (info - 24);
    const at = this.#at;
    if (length === 0 || at + length > this.#bytes.length) return malformed;
    this.#at += length;
    switch (length) {
      case 1:
        return shortest(this.#view.getUint8(at), 24);
      case 2:
        return shortest(this.#view.getUint16(at), 0x100);
      case 4:
        return shortest(this.#view.getUint32(at), 0x1_0000);
      default: {
        const value = this.#view.getUint32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
        return Number.isSafeInteger(value) ? shortest(value, 0x1_0000_0000) : notAllowed;
      }
    }
  }

  #readSimple(first: number): boolean | null | number | DecodeError {
    const at = this.#at + 1;
    const left = this.#bytes.length - at;
    this.#at = at;
    switch (first) {
      case 0xf4:
        return false;
      case 0xf5:
        return true;
      case 0xf6:
        return null;
      case 0xf9:
        this.#at += 2;
        return left < 2 ? malformed : fraction(this.#view.getFloat16(at));
      case 0xfa: {
        this.#at += 4;
        const value = left < 4 ? Number.NaN : this.#view.getFloat32(at);
        return Math.f16round(value) === value ? notDeterministic : fraction(value);
      }
      case 0xfb: {
        this.#at += 8;
        const value = left < 8 ? Number.NaN : this.#view.getFloat64(at);
        return Math.fround(value) === value ? notDeterministic : fraction(value);
      }
      default:
        return malformed;
    }
  }

  #take(length: number): Uint8Array | DecodeError {
    if (length > this.#bytes.length - this.#at) return malformed;
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  #readText(length: number): string | DecodeError {
    const bytes = this.#take(length);
    if (bytes instanceof DecodeError) return bytes;
    if (length <= shortText) {
      // The platform's decoder costs ten times as much as reading the few letters that most texts are.
      let text = "";
      for (const byte of bytes) {
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (text.length === length) return text;
    }
    try {
      return decoder.decode(bytes);
    } catch {
      // Throws for invalid UTF-8, and the reason would only repeat a peer's bytes.
      return malformed;
    }
  }

  #readArray(length: number, depth: number): CborValue | DecodeError {
    // Each item has a byte at least, so a promise of more than there are is not waited for.
    if (length > this.#bytes.length - this.#at) return malformed;
    const items: CborValue[] = [];
    for (let i = 0; i < length; i++) {
      const item = this.#read(depth + 1);
      if (item instanceof DecodeError) return item;
      items.push(item);
    }
    return items;
  }

  #readMap(length: number, depth: number): CborValue | DecodeError {
    if (length * 2 > this.#bytes.length - this.#at) return malformed;
    const entries = new Map<number | string, CborValue>();
    let before: Uint8Array | undefined;
    for (let i = 0; i < length; i++) {
      const start = this.#at;
      const key = this.#read(depth + 1);
      if (key instanceof DecodeError) return key;
      if (typeof key !== "number" && typeof key !== "string") return notAllowed;
      const encoded = this.#bytes.subarray(start, this.#at);
      if (before !== undefined && compareBytes(before, encoded) >= 0) return notDeterministic;
      before = encoded;
      const value = this.#read(depth + 1);
      if (value instanceof DecodeError) return value;
      entries.set(key, value);
    }
    return entries;
  }
}

function shortest(value: number, least: number): number | DecodeError {
  return value >= least ? value : notDeterministic;
}

/** A float that no integer says shorter. */
function fraction(value: number): number | DecodeError {
  if (!Number.isFinite(value)) return malformed;
  return Number.isInteger(value) ? notAllowed : value;
}
