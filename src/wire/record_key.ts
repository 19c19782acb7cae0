/**
 * The key of a record: kind, author, subject. Newest serial wins under one key. PROTOCOL §7.2.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { invariant } from "../base/invariant.ts";
import { type NodeId, nodeIdBytesLength, nodeIdFromBytes, nodeIdToBytes } from "./node_id.ts";
import { subjectBytesMax } from "./limits.ts";

declare const recordKeyBrand: unique symbol;

/**
 * A record's key as text: lower-case hexadecimal of kind (1 byte) ‖ author's id (32) ‖ subject
 * (0–32). Equal text, equal key; the text sorts as the bytes do.
 */
export type RecordKey = string & { readonly [recordKeyBrand]: true };

/** First kind of the administrators; kinds below it are self kinds, with an empty subject. */
export const administratorKindFirst = 128;
/** Last kind. */
export const recordKindLast = 255;
/** Kind of `info` records. */
export const infoKind = 0;
/** Kind of `links` records. */
export const linksKind = 1;

/** Bytes of a key before its subject. */
const keyHeadLength = 1 + nodeIdBytesLength;

/** Whether only a trusted administrator may speak under this kind. */
export function isAdministratorKind(kind: number): boolean {
  return kind >= administratorKindFirst;
}

/** The key of its parts. `kind` 0–255, `subject` 0–32 bytes, empty under a self kind. */
export function recordKey(kind: number, author: NodeId, subject: Uint8Array): RecordKey {
  invariant(Number.isInteger(kind) && kind >= 0 && kind <= recordKindLast, "a kind is a byte");
  invariant(
    subject.length <= (isAdministratorKind(kind) ? subjectBytesMax : 0),
    "a subject fits its kind",
  );
  const head = kind.toString(16).padStart(2, "0") + toHex(nodeIdToBytes(author));
  return head + toHex(subject) as RecordKey;
}

/** The key of its 33–65 bytes: a self kind with a subject is none. */
export function decodeRecordKey(bytes: Uint8Array): RecordKey | DecodeError {
  if (bytes.length < keyHeadLength || bytes.length > keyHeadLength + subjectBytesMax) {
    return new DecodeError("record key length");
  }
  if (!isAdministratorKind(bytes[0] ?? 0) && bytes.length !== keyHeadLength) {
    return new DecodeError("record key subject of a self kind");
  }
  return toHex(bytes) as RecordKey;
}

/** The key's 33–65 bytes. */
export function encodeRecordKey(key: RecordKey): Bytes {
  const bytes = fromHex(key);
  invariant(bytes !== undefined, "a record key is hexadecimal");
  return bytes;
}

/** The kind in the key, 0–255. */
export function recordKeyKind(key: RecordKey): number {
  return parseInt(key.slice(0, 2), 16);
}

/** The author in the key. */
export function recordKeyAuthor(key: RecordKey): NodeId {
  const author = nodeIdFromBytes(encodeRecordKey(key).subarray(1, keyHeadLength));
  invariant(author !== undefined, "a record key holds an author");
  return author;
}
