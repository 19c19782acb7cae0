/**
 * The bytes of the record log, a file of this node's own.
 *
 * ```text
 * header: "mesh records 2\n" 15 ‖ marker 8 ‖ CRC-32 of both 4
 * frame:  marker 8 ‖ length of content u16 ‖ CRC-32 of marker, length and content 4 ‖ content
 * content, by its first byte:
 *   1 record      first seen, Unix ms u64 ‖ author's id 32 ‖ SHA-256 of the bytes 32 ‖ the record's
 *                 exact bytes
 *   2 own record  the same
 *   3 tombstone   serial u64 ‖ deleted at, Unix ms u64 ‖ key 33–65
 *   4 flag        author's id 32
 *   5 own serial  u64
 * ```
 * The marker is drawn anew with every file, so that nobody can put something into a record that
 * looks like a frame where damage makes the reader search for the next one. Big-endian. Contents
 * of other numbers are skipped: a later release wrote them. A file whose header has another version
 * is not looked into.
 *
 * Author and hash follow from the bytes and stand beside them so that a start need not compute them
 * for every record; the checksum keeps them together.
 *
 * @module
 */
import {
  type Bytes,
  concatBytes,
  decodeUint,
  encodeUint,
  equalBytes,
  utf8,
} from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { type WallTime, wallTime } from "../base/instant.ts";
import { unreachable } from "../base/invariant.ts";
import { recordBytesMax } from "../wire/limits.ts";
import { type NodeId, nodeIdBytesLength, nodeIdFromBytes, nodeIdToBytes } from "../wire/node_id.ts";
import { decodeRecordKey, encodeRecordKey, type RecordKey } from "../wire/record_key.ts";
import { crc32 } from "./crc32.ts";
import type { VerifiedRecord } from "./verify_record.ts";

/** One thing written down. Times are the wall clock's at the writing. */
export type LogEntry =
  | {
    readonly kind: "record" | "own record";
    readonly firstSeen: WallTime;
    readonly author: NodeId;
    /** SHA-256 of the bytes. */
    readonly hash: Bytes;
    /** The record's exact bytes. */
    readonly bytes: Bytes;
  }
  | {
    readonly kind: "tombstone";
    readonly key: RecordKey;
    readonly serial: number;
    readonly deletedAt: WallTime;
  }
  | { readonly kind: "flag"; readonly author: NodeId }
  /** No own record of a lower serial may be signed. */
  | { readonly kind: "own serial"; readonly serial: number };

/** A record as it is written down. */
export function recordEntry(
  record: VerifiedRecord,
  firstSeen: WallTime,
  kind: "record" | "own record" = "record",
): LogEntry {
  const { author, hash, bytes } = record;
  return { kind, firstSeen, author, hash, bytes };
}

/** Bytes of a file's marker. */
export const logMarkerLength = 8;
const magicName = utf8("mesh records ");
const magic = concatBytes(magicName, utf8("2\n"));
/** First bytes of contents that concern the node's own records. */
const ownRecordNumber = 2;
const ownSerialNumber = 5;
/** Bytes of a record's hash: SHA-256. */
const recordHashLength = 32;
const headerLength = magic.length + logMarkerLength + 4;
const frameHeadLength = logMarkerLength + 2 + 4;
const recordHeadLength = 1 + 8 + nodeIdBytesLength + recordHashLength;
const contentBytesMax = recordHeadLength + recordBytesMax;

/** The beginning of a file. */
export function encodeLogHeader(marker: Bytes): Bytes {
  return concatBytes(magic, marker, encodeUint(crc32(magic, marker), 4));
}

function encodeContent(entry: LogEntry): Bytes {
  switch (entry.kind) {
    case "record":
    case "own record":
      return concatBytes(
        Uint8Array.of(entry.kind === "record" ? 1 : 2),
        encodeUint(Math.max(0, Math.floor(entry.firstSeen)), 8),
        nodeIdToBytes(entry.author),
        entry.hash,
        entry.bytes,
      );
    case "tombstone":
      return concatBytes(
        Uint8Array.of(3),
        encodeUint(entry.serial, 8),
        encodeUint(Math.max(0, Math.floor(entry.deletedAt)), 8),
        encodeRecordKey(entry.key),
      );
    case "flag":
      return concatBytes(Uint8Array.of(4), nodeIdToBytes(entry.author));
    case "own serial":
      return concatBytes(Uint8Array.of(5), encodeUint(entry.serial, 8));
    default:
      return unreachable(entry);
  }
}

/** The entry in its frame. */
export function encodeLogEntry(marker: Bytes, entry: LogEntry): Bytes {
  const content = encodeContent(entry);
  const length = encodeUint(content.length, 2);
  const checksum = encodeUint(crc32(marker, length, content), 4);
  return concatBytes(marker, length, checksum, content);
}

function decodeContent(content: Bytes): LogEntry | undefined {
  const number = decodeUint(content.subarray(1, 9));
  switch (content[0]) {
    case 1:
    case 2: {
      const author = nodeIdFromBytes(content.subarray(9, 9 + nodeIdBytesLength));
      if (number === undefined || author === undefined || content.length <= recordHeadLength) {
        return undefined;
      }
      return {
        kind: content[0] === 1 ? "record" : "own record",
        firstSeen: wallTime(number),
        author,
        hash: content.subarray(recordHeadLength - recordHashLength, recordHeadLength),
        bytes: content.subarray(recordHeadLength),
      };
    }
    case 3: {
      const deletedAt = decodeUint(content.subarray(9, 17));
      const key = decodeRecordKey(content.subarray(17));
      if (number === undefined || deletedAt === undefined || key instanceof DecodeError) {
        return undefined;
      }
      return { kind: "tombstone", key, serial: number, deletedAt: wallTime(deletedAt) };
    }
    case 4: {
      const author = nodeIdFromBytes(content.subarray(1));
      return author === undefined ? undefined : { kind: "flag", author };
    }
    case 5:
      return number === undefined || content.length !== 9
        ? undefined
        : { kind: "own serial", serial: number };
    default:
      return undefined;
  }
}

/** What was found in a file. Entries are decoded when they are asked for, and lie in its memory. */
export class LogReading {
  #bytes: Bytes;
  /** Where the contents begin and end, in the order in which they were written. */
  #places: readonly number[];
  /** The file's marker; `undefined` if nothing could be read. */
  readonly marker: Bytes | undefined;
  /** Bytes that are neither header, frames nor a torn tail. */
  readonly damagedBytes: number;
  /** Whether another version of the format wrote it: then nothing was read. */
  readonly isForeign: boolean;
  /** Bytes of a last frame that was never written to its end: what a crash leaves. */
  readonly tornBytes: number;

  constructor(
    bytes: Bytes,
    places: readonly number[],
    found: Partial<Pick<LogReading, "marker" | "damagedBytes" | "isForeign" | "tornBytes">> = {},
  ) {
    this.#bytes = bytes;
    this.#places = places;
    this.marker = found.marker;
    this.damagedBytes = found.damagedBytes ?? 0;
    this.isForeign = found.isForeign ?? false;
    this.tornBytes = found.tornBytes ?? 0;
  }

  /** What could be read, in the order in which it was written. */
  get entries(): readonly LogEntry[] {
    return [...this.newestFirst()].reverse();
  }

  /** The same in the opposite order. */
  *newestFirst(): IterableIterator<LogEntry> {
    for (let at = this.#places.length - 2; at >= 0; at -= 2) {
      const entry = decodeContent(this.#bytes.subarray(this.#places[at], this.#places[at + 1]));
      if (entry !== undefined) yield entry;
    }
  }

  /**
   * Gives the file's memory back to the system: there is nothing to read any more, and what was read
   * and not copied is empty. The collector would get to it minutes after a start, if nothing happens.
   */
  release(): void {
    this.#bytes.buffer.transfer(0);
    this.#bytes = new Uint8Array(0);
    this.#places = [];
  }

  /** What concerns the node's own records, in the order in which it was written. */
  *own(): IterableIterator<LogEntry> {
    for (let at = 0; at < this.#places.length; at += 2) {
      const number = this.#bytes[this.#places[at] ?? 0];
      if (number !== ownRecordNumber && number !== ownSerialNumber) continue;
      const entry = decodeContent(this.#bytes.subarray(this.#places[at], this.#places[at + 1]));
      if (entry !== undefined) yield entry;
    }
  }
}

/** The content's end if a whole frame with a right checksum begins at `at`. */
function frameEnd(bytes: Bytes, at: number): number | undefined {
  const contentAt = at + frameHeadLength;
  if (contentAt > bytes.length) return undefined;
  const length = (bytes[at + logMarkerLength] ?? 0) * 256 + (bytes[at + logMarkerLength + 1] ?? 0);
  const end = contentAt + length;
  if (length === 0 || length > contentBytesMax || end > bytes.length) return undefined;
  const checksum = crc32(
    bytes.subarray(at, at + logMarkerLength + 2),
    bytes.subarray(contentAt, end),
  );
  return checksum === decodeUint(bytes.subarray(contentAt - 4, contentAt)) ? end : undefined;
}

/** Where a frame may begin, from `from` on: the marker, or anything while there is none. */
function nextFrame(bytes: Bytes, marker: Bytes | undefined, from: number): number | undefined {
  for (let at = from; at + frameHeadLength <= bytes.length; at++) {
    if (marker !== undefined && !equalBytes(bytes.subarray(at, at + marker.length), marker)) {
      continue;
    }
    if (frameEnd(bytes, at) !== undefined) return at;
  }
  return undefined;
}

/** Whether what begins at `at` is a frame whose end is missing, and nothing else. */
function isTorn(bytes: Bytes, marker: Bytes, at: number): boolean {
  const rest = bytes.subarray(at);
  const shared = Math.min(rest.length, marker.length);
  if (!equalBytes(rest.subarray(0, shared), marker.subarray(0, shared))) return false;
  if (rest.length < logMarkerLength + 2) return true;
  const length = (rest[logMarkerLength] ?? 0) * 256 + (rest[logMarkerLength + 1] ?? 0);
  return length <= contentBytesMax && rest.length < frameHeadLength + length;
}

/** Whether the file has the whole header of another version: damage to one of ours does not make it one. */
function isForeign(bytes: Bytes): boolean {
  const checksumAt = headerLength - 4;
  const head = bytes.subarray(0, checksumAt);
  return bytes.length >= headerLength &&
    equalBytes(head.subarray(0, magicName.length), magicName) &&
    !equalBytes(head.subarray(0, magic.length), magic) &&
    equalBytes(encodeUint(crc32(head), 4), bytes.subarray(checksumAt, headerLength));
}

/** Reads a file, whatever state it is in. Never throws. What it gives lies in the memory of `bytes`. */
export function readLog(bytes: Bytes): LogReading {
  if (isForeign(bytes)) {
    return new LogReading(bytes, [], { damagedBytes: bytes.length, isForeign: true });
  }
  const magicEnd = magic.length + logMarkerLength;
  const header = bytes.slice(0, headerLength);
  const hasHeader = header.length === headerLength &&
    equalBytes(header, encodeLogHeader(header.slice(magic.length, magicEnd)));
  let marker = hasHeader ? header.slice(magic.length, magicEnd) : undefined;
  const places: number[] = [];
  let damagedBytes = 0;
  let at = hasHeader ? headerLength : 0;
  while (at < bytes.length) {
    const end = marker === undefined || equalBytes(bytes.subarray(at, at + marker.length), marker)
      ? frameEnd(bytes, at)
      : undefined;
    if (end !== undefined) {
      marker ??= bytes.slice(at, at + logMarkerLength);
      places.push(at + frameHeadLength, end);
      at = end;
      continue;
    }
    const next = nextFrame(bytes, marker, at + 1);
    if (next === undefined) break;
    damagedBytes += next - at;
    at = next;
  }
  const rest = bytes.length - at;
  const torn = marker !== undefined && rest > 0 && isTorn(bytes, marker, at);
  if (!torn) damagedBytes += rest;
  return new LogReading(bytes, places, {
    damagedBytes: Math.max(damagedBytes, hasHeader ? 0 : 1),
    tornBytes: torn ? rest : 0,
    ...(marker === undefined ? {} : { marker }),
  });
}
