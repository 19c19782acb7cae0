/**
 * The payload of a record: CBOR [kind 0–255, subject bstr 0–32, serial 0–2⁵³−1, signedAt Unix ms
 * 0–2⁵³−1, body]. The body is any value of our CBOR; what it means is its kind's affair. PROTOCOL §7.2.
 *
 * @module
 */
import { type Bytes, copyBytes, decodeUint } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { type WallTime, wallTime } from "../base/instant.ts";
import { asArray, asBytes, asUint, type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";
import { subjectBytesMax } from "./limits.ts";
import { isAdministratorKind, recordKindLast } from "./record_key.ts";

/** What an author says in a record. */
export interface RecordPayload {
  /** 0–255. */
  readonly kind: number;
  /** 0–32 bytes; empty under a self kind. */
  readonly subject: Bytes;
  /** 0 to 2⁵³ − 1. */
  readonly serial: number;
  /** The author's own word for the time; any value up to 2⁵³ − 1, however far off. */
  readonly signedAt: WallTime;
  readonly body: CborValue;
}

/** The payload's bytes. */
export function encodeRecordPayload(payload: RecordPayload): Bytes {
  return encodeCbor([
    payload.kind,
    payload.subject,
    payload.serial,
    payload.signedAt,
    payload.body,
  ]);
}

const noSubject: Bytes = new Uint8Array(0);

/** What stands before the body. */
export type RecordHead = Omit<RecordPayload, "body">;

/** An unsigned CBOR head of this major type at `at`: its argument and where the next item begins. */
function readHead(
  bytes: Uint8Array,
  at: number,
  major: number,
): readonly [number, number] | undefined {
  const first = bytes[at];
  if (first === undefined || first >> 5 !== major) return undefined;
  const short = first & 31;
  if (short < 24) return [short, at + 1];
  if (short > 27) return undefined;
  const end = at + 1 + (1 << (short - 24));
  if (end > bytes.length) return undefined;
  const argument = decodeUint(bytes.subarray(at + 1, end));
  return argument === undefined ? undefined : [argument, end];
}

/**
 * Reads what stands before the body, at most 57 bytes, and looks no further: for payloads that were
 * judged before, and to see under which key one claims to stand. `undefined` if that is no payload.
 */
export function peekRecordHead(bytes: Uint8Array): RecordHead | undefined {
  if (bytes[0] !== 0x85) return undefined;
  const kind = readHead(bytes, 1, 0);
  const length = kind && readHead(bytes, kind[1], 2);
  if (kind === undefined || kind[0] > recordKindLast || length === undefined) return undefined;
  const subjectEnd = length[1] + length[0];
  const subjectMax = isAdministratorKind(kind[0]) ? subjectBytesMax : 0;
  if (length[0] > subjectMax || subjectEnd > bytes.length) return undefined;
  const serial = readHead(bytes, subjectEnd, 0);
  const signedAt = serial && readHead(bytes, serial[1], 0);
  if (serial === undefined || signedAt === undefined) return undefined;
  const subject = length[0] === 0 ? noSubject : copyBytes(bytes.subarray(length[1], subjectEnd));
  return { kind: kind[0], subject, serial: serial[0], signedAt: wallTime(signedAt[0]) };
}

/** The payload that fills `bytes`. Never throws. */
export function decodeRecordPayload(bytes: Uint8Array): RecordPayload | DecodeError {
  const value = decodeCbor(bytes);
  if (value instanceof DecodeError) return value;
  const items = asArray(value, 5);
  if (items === undefined || items.length !== 5) return new DecodeError("record payload shape");
  const kind = asUint(items[0], recordKindLast);
  if (kind === undefined) return new DecodeError("record kind");
  const subject = asBytes(items[1], 0, isAdministratorKind(kind) ? subjectBytesMax : 0);
  if (subject === undefined) return new DecodeError("record subject");
  const serial = asUint(items[2]);
  if (serial === undefined) return new DecodeError("record serial");
  const signedAt = asUint(items[3]);
  if (signedAt === undefined) return new DecodeError("record time");
  const body = items[4];
  if (body === undefined) return new DecodeError("record payload shape");
  return { kind, subject, serial, signedAt: wallTime(signedAt), body };
}
