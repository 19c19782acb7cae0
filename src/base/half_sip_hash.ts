/**
 * HalfSipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"; the 32-bit variant of the
 * reference code): places keys that strangers choose by a secret, so that nobody can choose them to
 * lie badly. It protects shapes and buckets, never a secret: 32 bits out, 64 bits of key.
 *
 * @module
 */

import { decodeUint } from "./bytes.ts";

/** Two words of 32 bits that strangers do not know. */
export type HashKey = readonly [number, number];

/** The key in these 8 bytes of chance. */
export function hashKeyOf(bytes: Uint8Array): HashKey {
  const [low = 0, high = 0] = [bytes.subarray(0, 4), bytes.subarray(4, 8)].map(decodeUint);
  return [low, high];
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** The hash of the text's characters, which must be Latin-1: a signed 32-bit number. */
export function halfSipHash(text: string, key: HashKey): number {
  let v0 = key[0] | 0;
  let v1 = key[1] | 0;
  let v2 = 0x6c796765 ^ key[0];
  let v3 = 0x74656462 ^ key[1];
  const round = () => {
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
  };
  const whole = text.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    const word = text.charCodeAt(at) | text.charCodeAt(at + 1) << 8 |
      text.charCodeAt(at + 2) << 16 | text.charCodeAt(at + 3) << 24;
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  let last = text.length << 24;
  for (let at = whole; at < text.length; at++) last |= text.charCodeAt(at) << (8 * (at - whole));
  v3 ^= last;
  round();
  round();
  v0 ^= last;
  v2 ^= 0xff;
  for (let i = 0; i < 4; i++) round();
  return v1 ^ v3;
}
