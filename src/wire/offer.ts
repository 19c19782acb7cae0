/**
 * An offer: the name of one version of a record, short enough to be sent where nobody may want it.
 * CBOR [key bytes 33–65, serial, first 16 bytes of the record's hash]. PROTOCOL §6.
 *
 * What an offer says is a claim of the peer's: it decides what is fetched, never what is believed.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { asArray, asBytes, asUint, type CborValue } from "./cbor.ts";
import { offerHashLength, subjectBytesMax } from "./limits.ts";
import { nodeIdBytesLength } from "./node_id.ts";
import { decodeRecordKey, encodeRecordKey, type RecordKey } from "./record_key.ts";

/** One version of a record, by name. */
export interface Offer {
  readonly key: RecordKey;
  /** 0 to 2⁵³ − 1. */
  readonly serial: number;
  /** First 16 bytes of SHA-256 over all bytes of the record. */
  readonly hashPrefix: Bytes;
}

/** The offer of a record of which these are known. */
export function offerOf(
  record: { readonly key: RecordKey; readonly serial: number; readonly hash: Uint8Array },
): Offer {
  return {
    key: record.key,
    serial: record.serial,
    hashPrefix: new Uint8Array(record.hash.subarray(0, offerHashLength)),
  };
}

/** The offer as a CBOR value, to stand inside a message. */
export function offerToCbor(offer: Offer): CborValue {
  return [encodeRecordKey(offer.key), offer.serial, offer.hashPrefix];
}

/** The offer in a CBOR value. */
export function offerFromCbor(value: CborValue | undefined): Offer | DecodeError {
  const items = asArray(value, 3);
  if (items === undefined || items.length !== 3) return new DecodeError("offer shape");
  const keyBytes = asBytes(
    items[0],
    1 + nodeIdBytesLength,
    1 + nodeIdBytesLength + subjectBytesMax,
  );
  if (keyBytes === undefined) return new DecodeError("offer key");
  const key = decodeRecordKey(keyBytes);
  if (key instanceof DecodeError) return key;
  const serial = asUint(items[1]);
  if (serial === undefined) return new DecodeError("offer serial");
  const hashPrefix = asBytes(items[2], offerHashLength);
  if (hashPrefix === undefined) return new DecodeError("offer hash");
  return { key, serial, hashPrefix };
}
