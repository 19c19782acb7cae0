/**
 * Bytes: joining, comparing, hexadecimal. Comparison here is not constant-time; what must not leak
 * through time is compared in `crypto/`.
 *
 * @module
 */
/** Bytes over memory of their own: the form that Web Crypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Joins the parts into new memory. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  return joinBytes(parts);
}

/** The same of a list, which may be longer than a call can have arguments (some 100,000). */
export function joinBytes(parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** A copy with memory of its own, whatever memory the source is a view of. */
export function copyBytes(source: Uint8Array): Bytes {
  return new Uint8Array(source);
}

/** Whether the two hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** Order by bytes, a prefix before what it begins: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Lower-case hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/** Bytes of hexadecimal text, or `undefined` if it is none. */
export function fromHex(text: string): Bytes | undefined {
  try {
    return Uint8Array.fromHex(text);
  } catch {
    // Throws for anything but pairs of hexadecimal digits, and says no more than that.
    return undefined;
  }
}

const encoder = new TextEncoder();

/** UTF-8 bytes of the text. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** An unsigned big-endian integer of `length` bytes (at most 6; 8 for a safe integer). */
export function encodeUint(value: number, length: number): Bytes {
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** The unsigned big-endian integer in `bytes`; `undefined` past 2⁵³ − 1. */
export function decodeUint(bytes: Uint8Array): number | undefined {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : undefined;
}
