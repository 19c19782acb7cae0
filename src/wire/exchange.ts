/**
 * The four messages of the exchange that authenticates two nodes, and what they seal. PROTOCOL §4.
 *
 * Every message is one deterministic CBOR array (RFC 8949 §4.2.1):
 *
 * | message | from → to | array |
 * | --- | --- | --- |
 * | m1 | initiator → responder | [versions, bindings, share 32, encapsulation key 1184, nonce 32, …] |
 * | m2 | responder → initiator | [head, proof 32, signature 64] |
 * | head, in m2 as a byte string | | [version, binding, share 32, ciphertext 1088, nonce 32] |
 * | m3 | initiator → responder | [proof 32, signature 64, sealed] |
 * | m4 | responder → initiator | [sealed] |
 *
 * The head is a byte string of its own so that "the bytes of m2 before the proof" are exactly the
 * contents of that string: the transcript takes them as they were received, and nothing of m2
 * before the proof lies outside (the outer array head and the string's length have one form only).
 *
 * m1 comes before a version is chosen, so it may end in further items, which a reader ignores; they
 * are protected all the same, for the transcript takes all bytes of m1. m2 to m4 belong to the
 * chosen version and have exactly the items above.
 *
 * @module
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { invariant } from "../base/invariant.ts";
import { type WallTime, wallTime } from "../base/instant.ts";
import { asArray, asBytes, asUint, type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";
import { type DatagramGrant, grantBytesMax, grantFromCbor, grantToCbor } from "./grant.ts";
import { bootNonceLength, recordBytesMax, signatureLength } from "./limits.ts";

/** Bytes in an X25519 share (RFC 7748 §5). */
const x25519ShareLength = 32;
/** Bytes in an ML-KEM-768 encapsulation key (FIPS 203 table 3). */
const encapsulationKeyLength = 1_184;
/** Bytes in an ML-KEM-768 ciphertext (FIPS 203 table 3). */
const kemCiphertextLength = 1_088;
/** Bytes in either side's nonce. */
export const exchangeNonceLength = 32;
/** Bytes in a proof of the cluster secret (HMAC-SHA-256), or in the random bytes in its place. */
export const proofLength = 32;
/** Bytes that AES-256-GCM adds to what it seals: the tag. */
const sealOverhead = 16;

/** The version of the exchange described here. */
export const exchangeVersion = 1;
/** Most versions, and most kinds of channel binding, that an offer may name: room for decades. */
const offeredMax = 16;
/** Highest number of a version or a binding: one byte. */
const numberMax = 255;
/** Items that m1 has in version 1, and most that a later one may have. */
const m1Items = 5;
const m1ItemsMax = 16;
/** Bytes of m1 with nothing but version 1 and one binding on offer: the usual one. */
export const m1BytesLength = 1_260;
/** Most bytes in m1: two and a half times what version 1 needs, room for a larger key beside it. */
export const m1BytesMax = 4_096;
/** Bytes of m2 with a version and a binding below 24; one more for each that is above. */
export const m2BytesLength = 1_266;
/** Most bytes in m2. */
export const m2BytesMax = m2BytesLength + 2;

/** Most statements in a membership chain: two links, each with what vouches for it. */
export const membershipItemsMax = 4;
/** Items that an offer has in version 1, and most that a later one may append. */
const offerItems = 5;
const offerItemsMax = 16;
/** Most bytes in an offer: a full one has 5,126; the rest is room for items appended later. */
export const offerBytesMax = 8_192;
/** Bytes of a full offer: array heads, four statements, info, grant, time, boot nonce. */
export const offerBytesFull = 1 + (1 + membershipItemsMax * (3 + recordBytesMax)) +
  (3 + recordBytesMax) + grantBytesMax + 9 + (1 + bootNonceLength);
/** Most bytes in a sealed offer. */
export const sealedBytesMax = offerBytesMax + sealOverhead;
/** Most bytes in m3: array head 1, proof 2 + 32, signature 2 + 64, sealed 3 + its bytes. */
export const m3BytesMax = 1 + (2 + proofLength) + (2 + signatureLength) + 3 + sealedBytesMax;
/** Most bytes in m4: array head 1, sealed 3 + its bytes. */
export const m4BytesMax = 1 + 3 + sealedBytesMax;

/** What a notice begins with, so that it is never taken for an offer. */
const ownIdMark = "own id";
/** Bytes in a notice. */
const ownIdNoticeLength = 1 + (1 + utf8(ownIdMark).length) + (1 + bootNonceLength);

/** m1: what the initiator can and its fresh public values. */
export interface ExchangeM1 {
  /** Versions on offer, ascending, 1 to 16 of them. Unknown ones are passed over. */
  readonly versions: readonly number[];
  /** Kinds of channel binding on offer, ascending, 1 to 16. Unknown ones are passed over. */
  readonly bindings: readonly number[];
  /** X25519 share, 32 bytes. */
  readonly share: Bytes;
  /** ML-KEM-768 encapsulation key, 1,184 bytes. */
  readonly encapsulationKey: Bytes;
  /** 32 random bytes. */
  readonly nonce: Bytes;
}

/** The part of m2 that goes into the transcript. */
export interface ExchangeM2Head {
  /** The version chosen. */
  readonly version: number;
  /** The kind of channel binding chosen. */
  readonly binding: number;
  /** X25519 share, 32 bytes. */
  readonly share: Bytes;
  /** ML-KEM-768 ciphertext, 1,088 bytes. */
  readonly ciphertext: Bytes;
  /** 32 random bytes. */
  readonly nonce: Bytes;
}

/** m2: the responder's choice, public values, proof and signature. */
export interface ExchangeM2 extends ExchangeM2Head {
  /** The head's bytes as they were received. */
  readonly head: Bytes;
  /** HMAC of the transcript under the cluster secret, or 32 random bytes. */
  readonly proof: Bytes;
  /** Ed25519 by the responder's identity, 64 bytes. */
  readonly signature: Bytes;
}

/** m3: the initiator's proof, signature and sealed offer. */
export interface ExchangeM3 {
  /** HMAC of the transcript under the cluster secret, or 32 random bytes. */
  readonly proof: Bytes;
  /** Ed25519 by the initiator's identity, 64 bytes. */
  readonly signature: Bytes;
  /** AES-256-GCM under k_I, with its tag. */
  readonly sealed: Bytes;
}

/** m4: the responder's sealed offer. */
export interface ExchangeM4 {
  /** AES-256-GCM under k_R, with its tag. */
  readonly sealed: Bytes;
}

/** What each side shows the other once it knows whom it talks to. */
export interface SealedOffer {
  /** The statements that make this node a member, at most 4 records of at most 1,000 bytes. */
  readonly membership: readonly Bytes[];
  /** The node's own signed `info` record, 1 to 1,000 bytes, not judged here. */
  readonly info: Bytes;
  /** With this the other side may send datagrams here. */
  readonly grant: DatagramGrant;
  /** The node's calendar, in whole milliseconds from 1970; never before. */
  readonly wallTime: WallTime;
  /** Random at every start of the node, 16 bytes. */
  readonly bootNonce: Bytes;
}

/**
 * What is sealed instead of an offer for a peer that has this node's own id: nothing but the boot
 * nonce, by which a node that dialled itself is told from a second node with the same key.
 */
export interface OwnIdNotice {
  /** Random at every start of the node, 16 bytes. */
  readonly bootNonce: Bytes;
}

/** The items of a CBOR array of at most `max`, or why there are none. */
function decodeItems(
  bytes: Uint8Array,
  bytesMax: number,
  min: number,
  max: number,
): readonly CborValue[] | DecodeError {
  if (bytes.length > bytesMax) return new DecodeError("exchange message too long");
  const value = decodeCbor(bytes);
  if (value instanceof DecodeError) return value;
  const items = asArray(value, max);
  return items === undefined || items.length < min
    ? new DecodeError("exchange message shape")
    : items;
}

/** Numbers on offer: 1 to 16, each below 256, ascending without repetition. */
function asOffered(value: CborValue | undefined): readonly number[] | undefined {
  const items = asArray(value, offeredMax);
  if (items === undefined || items.length === 0) return undefined;
  const numbers: number[] = [];
  let previous = -1;
  for (const item of items) {
    const number = asUint(item, numberMax);
    if (number === undefined || number <= previous) return undefined;
    numbers.push(number);
    previous = number;
  }
  return numbers;
}

/** Encodes m1. */
export function encodeM1(m1: ExchangeM1): Bytes {
  return encodeCbor([m1.versions, m1.bindings, m1.share, m1.encapsulationKey, m1.nonce]);
}

/** Decodes m1; items after the fifth are ignored. */
export function decodeM1(bytes: Uint8Array): ExchangeM1 | DecodeError {
  const items = decodeItems(bytes, m1BytesMax, m1Items, m1ItemsMax);
  if (items instanceof DecodeError) return items;
  const versions = asOffered(items[0]);
  const bindings = asOffered(items[1]);
  const share = asBytes(items[2], x25519ShareLength);
  const encapsulationKey = asBytes(items[3], encapsulationKeyLength);
  const nonce = asBytes(items[4], exchangeNonceLength);
  if (
    versions === undefined || bindings === undefined || share === undefined ||
    encapsulationKey === undefined || nonce === undefined
  ) return new DecodeError("m1 field");
  return { versions, bindings, share, encapsulationKey, nonce };
}

/** Encodes the head of m2: the bytes that the transcript takes. */
export function encodeM2Head(head: ExchangeM2Head): Bytes {
  return encodeCbor([head.version, head.binding, head.share, head.ciphertext, head.nonce]);
}

/** Encodes m2 around the bytes of its head. */
export function encodeM2(head: Bytes, proof: Bytes, signature: Bytes): Bytes {
  return encodeCbor([head, proof, signature]);
}

/** Decodes m2. */
export function decodeM2(bytes: Uint8Array): ExchangeM2 | DecodeError {
  const items = decodeItems(bytes, m2BytesMax, 3, 3);
  if (items instanceof DecodeError) return items;
  const head = asBytes(items[0], 0, m2BytesMax);
  const proof = asBytes(items[1], proofLength);
  const signature = asBytes(items[2], signatureLength);
  if (head === undefined || proof === undefined || signature === undefined) {
    return new DecodeError("m2 field");
  }
  const inner = decodeItems(head, m2BytesMax, 5, 5);
  if (inner instanceof DecodeError) return inner;
  const version = asUint(inner[0], numberMax);
  const binding = asUint(inner[1], numberMax);
  const share = asBytes(inner[2], x25519ShareLength);
  const ciphertext = asBytes(inner[3], kemCiphertextLength);
  const nonce = asBytes(inner[4], exchangeNonceLength);
  if (
    version === undefined || binding === undefined || share === undefined ||
    ciphertext === undefined || nonce === undefined
  ) return new DecodeError("m2 head field");
  return { head, version, binding, share, ciphertext, nonce, proof, signature };
}

/** Encodes m3. */
export function encodeM3(m3: ExchangeM3): Bytes {
  return encodeCbor([m3.proof, m3.signature, m3.sealed]);
}

/** Decodes m3. */
export function decodeM3(bytes: Uint8Array): ExchangeM3 | DecodeError {
  const items = decodeItems(bytes, m3BytesMax, 3, 3);
  if (items instanceof DecodeError) return items;
  const proof = asBytes(items[0], proofLength);
  const signature = asBytes(items[1], signatureLength);
  const sealed = asBytes(items[2], sealOverhead, sealedBytesMax);
  if (proof === undefined || signature === undefined || sealed === undefined) {
    return new DecodeError("m3 field");
  }
  return { proof, signature, sealed };
}

/** Encodes m4. */
export function encodeM4(m4: ExchangeM4): Bytes {
  return encodeCbor([m4.sealed]);
}

/** Decodes m4. */
export function decodeM4(bytes: Uint8Array): ExchangeM4 | DecodeError {
  const items = decodeItems(bytes, m4BytesMax, 1, 1);
  if (items instanceof DecodeError) return items;
  const sealed = asBytes(items[0], sealOverhead, sealedBytesMax);
  return sealed === undefined ? new DecodeError("m4 field") : { sealed };
}

/**
 * Encodes an offer: `[[statement …], info, grant, wall time, boot nonce]`. A calendar before 1970
 * or with a fraction is brought to a whole number from 0.
 */
export function encodeOffer(offer: SealedOffer): Bytes {
  invariant(
    offer.membership.length <= membershipItemsMax,
    "a membership chain has at most 4 items",
  );
  invariant(
    [...offer.membership, offer.info].every((record) =>
      record.length >= 1 && record.length <= recordBytesMax
    ),
    "an offered record has 1 to 1,000 bytes",
  );
  const wall = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(offer.wallTime)));
  return encodeCbor([
    offer.membership,
    offer.info,
    grantToCbor(offer.grant),
    wall,
    offer.bootNonce,
  ]);
}

/** Encodes a notice: `["own id", boot nonce]`. */
export function encodeOwnIdNotice(notice: OwnIdNotice): Bytes {
  return encodeCbor([ownIdMark, notice.bootNonce]);
}

/** Decodes an offer; items after the fifth are ignored. */
export function decodeOffer(bytes: Uint8Array): SealedOffer | DecodeError {
  const items = decodeItems(bytes, offerBytesMax, offerItems, offerItemsMax);
  if (items instanceof DecodeError) return items;
  const statements = asArray(items[0], membershipItemsMax);
  if (statements === undefined) return new DecodeError("offer membership");
  const membership: Bytes[] = [];
  for (const item of statements) {
    const statement = asBytes(item, 1, recordBytesMax);
    if (statement === undefined) return new DecodeError("offer membership");
    membership.push(statement);
  }
  const info = asBytes(items[1], 1, recordBytesMax);
  const grant = grantFromCbor(items[2]);
  const wall = asUint(items[3]);
  const bootNonce = asBytes(items[4], bootNonceLength);
  if (grant instanceof DecodeError) return grant;
  if (info === undefined || wall === undefined || bootNonce === undefined) {
    return new DecodeError("offer field");
  }
  return { membership, info, grant, wallTime: wallTime(wall), bootNonce };
}

/** Decodes a notice. */
export function decodeOwnIdNotice(bytes: Uint8Array): OwnIdNotice | DecodeError {
  const items = decodeItems(bytes, ownIdNoticeLength, 2, 2);
  if (items instanceof DecodeError) return items;
  const bootNonce = asBytes(items[1], bootNonceLength);
  return items[0] !== ownIdMark || bootNonce === undefined
    ? new DecodeError("own id notice field")
    : { bootNonce };
}
