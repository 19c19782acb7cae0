/**
 * Node ids: SHA-256 of a root's SubjectPublicKeyInfo, written as lower-case base32 (RFC 4648 §6
 * alphabet) without padding. PROTOCOL §2.1.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";

declare const nodeIdBrand: unique symbol;

/** A node id in its text form, 52 characters. Equal text, equal id. */
export type NodeId = string & { readonly [nodeIdBrand]: true };

/** Bytes in a node id. */
export const nodeIdBytesLength = 32;
/** Bytes of a node id that stand for it where space is short: in handles and in `links`. */
export const nodeIdPrefixLength = 16;
/** Characters in a node id's text. */
const nodeIdTextLength = 52;

// Ids are turned into text and back for nearly every datagram, so the alphabet is laid out in tables.
const letters = Array.from("abcdefghijklmnopqrstuvwxyz234567", (letter) => letter.charCodeAt(0));
/** Five bits by character code; 255 where the code is no letter of the alphabet. */
const bitsOf = new Uint8Array(128).fill(255);
for (const [bits, code] of letters.entries()) bitsOf[code] = bits;

/** The id of its 32 bytes; `undefined` for any other length. */
export function nodeIdFromBytes(bytes: Uint8Array): NodeId | undefined {
  if (bytes.length !== nodeIdBytesLength) return undefined;
  const codes: number[] = [];
  let held = 0;
  let heldBits = 0;
  for (const byte of bytes) {
    held = (held << 8 | byte) & 0xfff;
    for (heldBits += 8; heldBits >= 5; heldBits -= 5) {
      codes.push(letters[held >> (heldBits - 5) & 31] ?? 0);
    }
  }
  // 256 bits are 51 letters and one bit, to which four zeros are added.
  codes.push(letters[held << (5 - heldBits) & 31] ?? 0);
  return String.fromCharCode(...codes) as NodeId;
}

/** The bytes of 52 letters, whatever the last four bits; `undefined` if one is none of the alphabet. */
function bytesOfText(text: string): Bytes | undefined {
  const bytes = new Uint8Array(nodeIdBytesLength);
  let held = 0;
  let heldBits = 0;
  let length = 0;
  for (let i = 0; i < nodeIdTextLength; i++) {
    const bits = bitsOf[text.charCodeAt(i)] ?? 255;
    if (bits === 255) return undefined;
    held = (held << 5 | bits) & 0xfff;
    heldBits += 5;
    if (heldBits < 8) continue;
    heldBits -= 8;
    bytes[length++] = held >> heldBits & 255;
  }
  return bytes;
}

/** The id's 32 bytes. */
export function nodeIdToBytes(id: NodeId): Bytes {
  const bytes = bytesOfText(id);
  invariant(bytes !== undefined, "a node id is base32");
  return bytes;
}

/** The id's first 16 bytes. */
export function nodeIdPrefix(id: NodeId): Bytes {
  return nodeIdToBytes(id).slice(0, nodeIdPrefixLength);
}

/** Parses the text form exactly: 52 characters, canonical; `undefined` if it is none. */
export function parseNodeId(text: string): NodeId | undefined {
  const bytes = text.length === nodeIdTextLength ? bytesOfText(text) : undefined;
  // 52 characters carry 260 bits: the last four must be zero, or two texts would be one id.
  return bytes !== undefined && nodeIdFromBytes(bytes) === text ? text as NodeId : undefined;
}

/** The first ten characters, for people. */
export function shortNodeId(id: NodeId): string {
  return id.slice(0, 10);
}
