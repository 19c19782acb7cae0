/**
 * The datagram grant: what a node hands a peer inside the exchange (and, without the time, inside a
 * sealed answer) so that the peer can send it sealed requests. PROTOCOL §5.1.
 *
 * In the exchange it is a deterministic CBOR array `[epoch 8, handle 24, key 32, time uint]`; in an
 * answer it is the fixed 64 bytes `epoch 8 ‖ handle 24 ‖ key 32`, for there the time is known.
 *
 * @module
 */
import { type Bytes, copyBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { asArray, asBytes, asUint, type CborValue } from "./cbor.ts";

/** Bytes in the name of an epoch. */
export const epochNameLength = 8;
/** Bytes in a handle: 16 of the peer's id under AES Key Wrap (RFC 3394). */
export const handleLength = 24;
/** Bytes in the key of a pair (AES-256). */
export const pairKeyLength = 32;
/** Bytes of a next grant in an answer. */
export const nextGrantLength = epochNameLength + handleLength + pairKeyLength;
/** Most bytes that a grant takes as CBOR: array head 1, three byte strings 9 + 26 + 34, integer 9. */
export const grantBytesMax = 79;

/** What a requester needs to talk to the answerer that granted it, during one epoch. */
export interface NextGrant {
  /** Name of the answerer's epoch, 8 bytes. */
  readonly epoch: Bytes;
  /** The requester as the answerer will know it, 24 bytes; opaque to everyone else. */
  readonly handle: Bytes;
  /** K(requester → answerer), 32 bytes. Secret. */
  readonly key: Bytes;
}

/** A grant with the answerer's time, as the exchange carries it. */
export interface DatagramGrant extends NextGrant {
  /** The answerer's monotonic clock when it granted, in whole milliseconds. */
  readonly time: number;
}

/** The grant as a CBOR value, for a message that carries it inside. */
export function grantToCbor(grant: DatagramGrant): CborValue {
  return [grant.epoch, grant.handle, grant.key, grant.time];
}

/** Reads a grant from a CBOR value; its bytes get memory of their own. */
export function grantFromCbor(value: CborValue | undefined): DatagramGrant | DecodeError {
  const items = asArray(value, 4);
  if (items === undefined || items.length !== 4) return new DecodeError("grant shape");
  const epoch = asBytes(items[0], epochNameLength);
  const handle = asBytes(items[1], handleLength);
  const key = asBytes(items[2], pairKeyLength);
  const time = asUint(items[3]);
  if (
    epoch === undefined || handle === undefined || key === undefined || time === undefined
  ) return new DecodeError("grant field");
  return { epoch, handle, key, time };
}

/** Writes the fixed form `epoch ‖ handle ‖ key` at `offset`; takes `nextGrantLength` bytes. */
export function writeNextGrant(grant: NextGrant, into: Uint8Array, offset: number): void {
  into.set(grant.epoch, offset);
  into.set(grant.handle, offset + epochNameLength);
  into.set(grant.key, offset + epochNameLength + handleLength);
}

/** Reads the fixed form; exactly `nextGrantLength` bytes. The result has memory of its own. */
export function decodeNextGrant(bytes: Uint8Array): NextGrant | DecodeError {
  if (bytes.length !== nextGrantLength) return new DecodeError("next grant length");
  const keyAt = epochNameLength + handleLength;
  return {
    epoch: copyBytes(bytes.subarray(0, epochNameLength)),
    handle: copyBytes(bytes.subarray(epochNameLength, keyAt)),
    key: copyBytes(bytes.subarray(keyAt)),
  };
}
