/**
 * Node ids: SHA-256 of a root's SubjectPublicKeyInfo, written as lower-case base32 (RFC 4648 §6
 * alphabet) without padding. PROTOCOL §2.1.
 *
 * @module
 */
import { type Bytes, copyBytes } from "../base/bytes.ts";
import { decodeBase32, encodeBase32 } from "@std/encoding";

declare const nodeIdBrand: unique symbol;

/** A node id in its text form, 52 characters. Equal text, equal id. */
export type NodeId = string & { readonly [nodeIdBrand]: true };

/** Bytes in a node id. */
export const nodeIdBytesLength = 32;
/** Bytes of a node id that stand for it where space is short: in handles and in `links`. */
export const nodeIdPrefixLength = 16;
/** Characters in a node id's text. */
const nodeIdTextLength = 52;

/** The id of its 32 bytes; `undefined` for any other length. */
export function nodeIdFromBytes(bytes: Uint8Array): NodeId | undefined {
  if (bytes.length !== nodeIdBytesLength) return undefined;
  return encodeBase32(bytes).slice(0, nodeIdTextLength).toLowerCase() as NodeId;
}

/** The id's 32 bytes. */
export function nodeIdToBytes(id: NodeId): Bytes {
  return copyBytes(decodeBase32(`${id.toUpperCase()}====`));
}

/** The id's first 16 bytes. */
export function nodeIdPrefix(id: NodeId): Bytes {
  return nodeIdToBytes(id).slice(0, nodeIdPrefixLength);
}

/** Parses the text form exactly: 52 characters, canonical; `undefined` if it is none. */
export function parseNodeId(text: string): NodeId | undefined {
  if (!/^[a-z2-7]{52}$/.test(text)) return undefined;
  // 52 characters carry 260 bits: the last four must be zero, or two texts would be one id.
  return nodeIdFromBytes(decodeBase32(`${text.toUpperCase()}====`)) === text
    ? text as NodeId
    : undefined;
}

/** The first ten characters, for people. */
export function shortNodeId(id: NodeId): string {
  return id.slice(0, 10);
}
