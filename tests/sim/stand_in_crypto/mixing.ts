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

/** Three words, so that chance collisions do not happen in a world; whoever wants one makes one. */
const state = new Int32Array(3);

/** Lets every bit of the label and of the bytes decide about the state. */
function absorb(label: number, bytes: Uint8Array): void {
  let a = label | 0;
  let b = bytes.length ^ 0x9e3779b9;
  let c = Math.imul(label, 0x27d4eb2d) ^ 0x165667b1;
  for (let at = 0; at < bytes.length; at += 4) {
    // No view of words: making one costs more than reading the few bytes of a datagram.
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    a = (Math.imul(rotated(a ^ Math.imul(word, 0xcc9e2d51), 13), 5) + 0xe6546b64) | 0;
    b = (rotated(b ^ Math.imul(word, 0x1b873593), 17) + a) | 0;
    c = Math.imul(c ^ rotated(word, 7), 0x9e3779b1) ^ b;
  }
  state[0] = a;
  state[1] = b;
  state[2] = c;
}

/** The next word of what the state gives, the `at`th byte of it and three more. */
function squeezed(at: number): number {
  const a = ((state[0] ?? 0) + 0x9e3779b9) | 0;
  const b = ((state[1] ?? 0) + rotated(a, 11)) | 0;
  const c = state[2] ?? 0;
  const word = avalanched(a ^ rotated(b, 5)) ^ avalanched((b + c + at) | 0);
  state[0] = a;
  state[1] = b;
  state[2] = c + word;
  return word;
}

/** One word that depends on every bit of the label and of the bytes. NOT SECURE. */
export function mixedWord(label: number, bytes: Uint8Array): number {
  absorb(label, bytes);
  return squeezed(0);
}

/** Writes `length` bytes (a multiple of four) that depend on every bit of both. NOT SECURE. */
export function mixInto(
  out: Uint8Array,
  from: number,
  length: number,
  label: number,
  bytes: Uint8Array,
): void {
  absorb(label, bytes);
  for (let at = 0; at < length; at += 4) {
    const word = squeezed(at);
    out[from + at] = word;
    out[from + at + 1] = word >>> 8;
    out[from + at + 2] = word >>> 16;
    out[from + at + 3] = word >>> 24;
  }
}

/** The same in memory of their own. */
export function mixed(label: number, bytes: Uint8Array, length: number): Bytes {
  const out = new Uint8Array(length);
  mixInto(out, 0, length, label, bytes);
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
