/**
 * What the stand-in has in place of hashes and keys: quick mixing of bytes that anybody can undo or
 * forge. NOT SECURE, and for simulated worlds alone.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../../../src/base/bytes.ts";
import { invariant } from "../../../src/base/invariant.ts";

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The end of MurmurHash3: every bit of the word changes half of the result's. */
function avalanched(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/**
 * `length` bytes (a multiple of four) that depend on every bit of the label and of the bytes: three
 * words of state, so that chance collisions do not happen in a world; whoever wants one makes one.
 * NOT SECURE.
 */
export function mixed(label: number, bytes: Uint8Array, length: number): Bytes {
  let a = label | 0;
  let b = bytes.length ^ 0x9e3779b9;
  let c = Math.imul(label, 0x27d4eb2d) ^ 0x165667b1;
  const whole = bytes.length & ~3;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 4) {
    const word = at < whole
      ? words.getInt32(at, true)
      : ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16));
    a = (Math.imul(rotated(a ^ Math.imul(word, 0xcc9e2d51), 13), 5) + 0xe6546b64) | 0;
    b = (rotated(b ^ Math.imul(word, 0x1b873593), 17) + a) | 0;
    c = Math.imul(c ^ rotated(word, 7), 0x9e3779b1) ^ b;
  }
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) {
    a = (a + 0x9e3779b9) | 0;
    b = (b + rotated(a, 11)) | 0;
    const word = avalanched(a ^ rotated(b, 5)) ^ avalanched((b + c + at) | 0);
    c = (c + word) | 0;
    out[at] = word;
    out[at + 1] = word >>> 8;
    out[at + 2] = word >>> 16;
    out[at + 3] = word >>> 24;
  }
  return out;
}

/** The same over parts joined. */
export function mixedParts(label: number, length: number, ...parts: readonly Uint8Array[]): Bytes {
  const [only] = parts;
  return mixed(
    label,
    parts.length === 1 && only !== undefined ? only : concatBytes(...parts),
    length,
  );
}

/** What the platform's keys are in the stand-in: bytes that lie open. NOT SECURE. */
export class StandInKey implements CryptoKey {
  readonly algorithm: KeyAlgorithm = { name: "stand-in" };
  readonly extractable = true;
  readonly type = "secret";
  readonly usages: KeyUsage[] = [];
  readonly bytes: Bytes;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
  }
}

/** The bytes of a key that the stand-in made. */
export function bytesOf(key: CryptoKey): Bytes {
  invariant(key instanceof StandInKey, "a world's keys are the stand-in's");
  return key.bytes;
}

const drawing = { seed: 0, draws: 0 };

/** Begins the draws anew, so that a world follows from its seed to the last byte. */
export function seedStandIn(seed: number): void {
  drawing.seed = seed;
  drawing.draws = 0;
}

/** The next 32 bytes where the real module takes the platform's randomness. NOT SECURE. */
export function drawn(): Bytes {
  const input = new Uint32Array([drawing.seed, ++drawing.draws]);
  return mixed(0x01, new Uint8Array(input.buffer), 32);
}
