/**
 * Judging a record on receipt, once, before anything else looks inside: size, envelope, hash
 * already known, key, signature, payload, body of a kind we read. PROTOCOL §7.1.
 *
 * @module
 */
import { type Bytes, copyBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import type { WallTime } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import { parsePublicKey, type PublicKey, sha256, verifyRecordSignature } from "../crypto/mod.ts";
import type { CborValue } from "../wire/cbor.ts";
import { type CoseSign1, decodeCoseSign1, payloadWithin } from "../wire/cose_sign1.ts";
import { decodeInfo, type InfoBody } from "../wire/info.ts";
import { recordBytesMax } from "../wire/limits.ts";
import { decodeLinks, type LinksBody } from "../wire/links.ts";
import type { NodeId } from "../wire/node_id.ts";
import {
  decodeRecordPayload,
  peekRecordHead,
  type RecordHead,
  type RecordPayload,
} from "../wire/record.ts";
import { infoKind, linksKind, type RecordKey, recordKey } from "../wire/record_key.ts";
import { authorIdOf } from "./author_ids.ts";

/** A record whose author has signed exactly these bytes. Made only by this module (and by tests). */
export interface VerifiedRecord {
  /** The exact bytes received, at most 1,000: what is stored and passed on. */
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`, 32 bytes. */
  readonly hash: Bytes;
  readonly key: RecordKey;
  /** 0–255. */
  readonly kind: number;
  readonly author: NodeId;
  readonly authorKey: PublicKey;
  /** 0–32 bytes, empty under a self kind. */
  readonly subject: Bytes;
  /** 0 to 2⁵³ − 1. */
  readonly serial: number;
  readonly signedAt: WallTime;
  readonly body: CborValue;
}

/**
 * A record in memory. Many are held, so what can be read from the bytes again (key, subject, body)
 * is not held twice.
 */
class HeldRecord implements VerifiedRecord {
  readonly bytes: Bytes;
  readonly hash: Bytes;
  readonly key: RecordKey;
  readonly kind: number;
  readonly author: NodeId;
  readonly serial: number;
  readonly signedAt: WallTime;

  constructor(
    bytes: Bytes,
    hash: Bytes,
    { author, key, kind, serial, signedAt }: Pick<
      VerifiedRecord,
      "author" | "key" | "kind" | "serial" | "signedAt"
    >,
  ) {
    this.bytes = bytes;
    this.hash = hash;
    this.author = author;
    this.key = key;
    this.kind = kind;
    this.serial = serial;
    this.signedAt = signedAt;
  }

  /** The record of what stands before its body. */
  static of(bytes: Bytes, hash: Bytes, author: NodeId, head: RecordHead): HeldRecord {
    const key = recordKey(head.kind, author, head.subject);
    const { kind, serial, signedAt } = head;
    return new HeldRecord(bytes, hash, { author, key, kind, serial, signedAt });
  }

  get authorKey(): PublicKey {
    const key = parsePublicKey(this.#envelope().key);
    invariant(!(key instanceof DecodeError), "a verified record's key was judged");
    return key;
  }

  get subject(): Bytes {
    return this.#payload().subject;
  }

  get body(): CborValue {
    return this.#payload().body;
  }

  #envelope(): CoseSign1 {
    const envelope = decodeCoseSign1(this.bytes);
    invariant(!(envelope instanceof DecodeError), "a verified record has an envelope");
    return envelope;
  }

  #payload(): RecordPayload {
    const within = payloadWithin(this.bytes);
    invariant(within !== undefined, "a verified record has an envelope");
    const payload = decodeRecordPayload(within);
    invariant(!(payload instanceof DecodeError), "a verified record has a payload");
    return payload;
  }
}

/** Whether a body of this kind is what its kind's readers take; kinds we do not read pass. */
function judgeBody(kind: number, body: CborValue): DecodeError | undefined {
  const read = kind === infoKind
    ? decodeInfo(body)
    : kind === linksKind
    ? decodeLinks(body)
    : undefined;
  return read instanceof DecodeError ? read : undefined;
}

/** Takes apart what has already been found to be signed. */
function readSigned(
  bytes: Bytes,
  hash: Bytes,
  author: NodeId,
  envelope: CoseSign1,
): VerifiedRecord | DecodeError {
  const payload = decodeRecordPayload(envelope.payload);
  if (payload instanceof DecodeError) return payload;
  const wrong = judgeBody(payload.kind, payload.body);
  if (wrong !== undefined) return wrong;
  return HeldRecord.of(bytes, hash, author, payload);
}

/** What is known of bytes that were judged before. */
export interface JudgedBefore {
  /** Whether bytes of this hash (32 bytes) were refused lately. */
  wasRefused(hash: Bytes): boolean;
  /** The record of exactly these bytes that is held under this key. */
  held(key: RecordKey, bytes: Bytes): VerifiedRecord | undefined;
  /** Whether a record that claims this key is worth a hash and a verification. */
  admits(key: RecordKey): boolean;
}

const nothingJudged: JudgedBefore = {
  wasRefused: () => false,
  held: () => undefined,
  admits: () => true,
};

/**
 * Judges a record from a peer, cheapest check first; bytes that are held cost a comparison and give
 * the record that is held, those that nobody admits nothing more, and bytes that were refused a hash.
 *
 * @param received At most 1,000 bytes; copied, so the memory may be used again.
 */
export async function receiveRecord(
  received: Uint8Array,
  judgedBefore: JudgedBefore,
): Promise<VerifiedRecord | "refused before" | "not admitted" | DecodeError> {
  if (received.length > recordBytesMax) return new DecodeError("record too big");
  const bytes = copyBytes(received);
  const envelope = decodeCoseSign1(bytes);
  if (envelope instanceof DecodeError) return envelope;
  const author = await authorIdOf(envelope.key);
  if (author instanceof DecodeError) return author;
  // Nobody has signed this yet: it says where to look for the same bytes, and nothing else.
  const claimed = peekRecordHead(envelope.payload);
  if (claimed !== undefined) {
    const key = recordKey(claimed.kind, author, claimed.subject);
    const held = judgedBefore.held(key, bytes);
    if (held !== undefined) return held;
    if (!judgedBefore.admits(key)) return "not admitted";
  }
  const hash = await sha256(bytes);
  if (judgedBefore.wasRefused(hash)) return "refused before";
  if (!await verifyRecordSignature(envelope)) return new DecodeError("record signature");
  return readSigned(bytes, hash, author, envelope);
}

/** Judges a record, whether or not it is known. Never rejects. */
export async function verifyRecord(bytes: Uint8Array): Promise<VerifiedRecord | DecodeError> {
  const judged = await receiveRecord(bytes, nothingJudged);
  invariant(typeof judged !== "string", "nothing is known to this caller, who admits all");
  return judged;
}

/** Under which key the record claims to stand: nothing is verified, and the body not looked at. */
export async function recordKeyOf(bytes: Uint8Array): Promise<RecordKey | DecodeError> {
  const envelope = decodeCoseSign1(bytes);
  if (envelope instanceof DecodeError) return envelope;
  const claimed = peekRecordHead(envelope.payload);
  if (claimed === undefined) return new DecodeError("record payload shape");
  const author = await authorIdOf(envelope.key);
  if (author instanceof DecodeError) return author;
  return recordKey(claimed.kind, author, claimed.subject);
}

/** A record as this node wrote it to its own disk, with what it had found out about it. */
export interface StoredRecord {
  /** The record's exact bytes. */
  readonly bytes: Bytes;
  readonly author: NodeId;
  /** SHA-256 of the bytes. */
  readonly hash: Bytes;
}

/**
 * Takes back a record that this node verified before it wrote it to its own disk, where a checksum
 * kept it together with its author and hash: neither is computed again, and the body is read when
 * somebody asks for it.
 */
export function restoreRecord(stored: StoredRecord): VerifiedRecord | DecodeError {
  const payload = payloadWithin(stored.bytes);
  const head = payload === undefined ? undefined : peekRecordHead(payload);
  if (head === undefined) return new DecodeError("stored record");
  return HeldRecord.of(stored.bytes, stored.hash, stored.author, head);
}

/** The same record with its bytes and hash elsewhere in memory. */
export function movedRecord(record: VerifiedRecord, bytes: Bytes, hash: Bytes): VerifiedRecord {
  return new HeldRecord(bytes, hash, record);
}

/** What an `info` record says. */
export function readInfo(record: VerifiedRecord): InfoBody | DecodeError {
  return record.kind === infoKind ? decodeInfo(record.body) : new DecodeError("not an info record");
}

/** What a `links` record says. */
export function readLinks(record: VerifiedRecord): LinksBody | DecodeError {
  return record.kind === linksKind
    ? decodeLinks(record.body)
    : new DecodeError("not a links record");
}
