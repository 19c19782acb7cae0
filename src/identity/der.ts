/**
 * Strict DER (X.690 §8 and §10, the part that certificates use): a reader that accepts only what a
 * writer would have written, and the writer. Lengths are definite and shortest, tags are single
 * bytes, every primitive value has its one form, and every byte belongs to something.
 *
 * It refuses more than X.690 does: universal types that no certificate of the profile uses.
 *
 * @module
 */
import { type Bytes, compareBytes, concatBytes, copyBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { derDepthMax } from "./limits.ts";

/** Tags of the types that occur. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: its tag, its content, and what the content holds if the type is constructed. */
export interface DerNode {
  readonly tag: number;
  readonly content: Bytes;
  /** Parts of a constructed value in order; empty for a primitive one. */
  readonly children: readonly DerNode[];
  /** Tag, length and content. */
  readonly bytes: Bytes;
}

/** Writes a value of the tag whose content is the parts joined (up to 65,535 bytes). */
export function encodeDer(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...parts);
  const length = content.length;
  const header = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.from(header), content);
}

function isMinimalInteger(content: Uint8Array): boolean {
  const [first, second = 0] = content;
  if (first === undefined) return false;
  if (content.length === 1) return true;
  return !(first === 0x00 && second < 0x80) && !(first === 0xff && second >= 0x80);
}

function isBitString(content: Uint8Array): boolean {
  const unused = content[0];
  if (unused === undefined || unused > 7) return false;
  if (content.length === 1) return unused === 0;
  const last = content[content.length - 1] ?? 0;
  return (last & ((1 << unused) - 1)) === 0;
}

function isObjectId(content: Uint8Array): boolean {
  const last = content[content.length - 1];
  if (last === undefined || last >= 0x80) return false;
  // No part begins with 0x80, which would be a leading zero.
  return content.every((byte, i) => byte !== 0x80 || (i > 0 && (content[i - 1] ?? 0) >= 0x80));
}

function isUtf8(content: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    return true;
  } catch {
    // The decoder's only way to say "not UTF-8".
    return false;
  }
}

function matches(content: Uint8Array, pattern: RegExp): boolean {
  return pattern.test(String.fromCharCode(...content));
}

const timePatterns = {
  utc: /^\d{12}Z$/,
  generalized: /^\d{14}Z$/,
} as const;

/** Whether YYYYMMDDHHMMSSZ names a second of the calendar (RFC 5280 §4.1.2.5: no leap second). */
function isCalendarTime(text: string): boolean {
  const part = (from: number, to: number): number => Number(text.slice(from, to));
  const [year, month, day] = [part(0, 4), part(4, 6), part(6, 8)];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days && part(8, 10) <= 23 && part(10, 12) <= 59 && part(12, 14) <= 59;
}

/** RFC 5280 §4.1.2.5: two-digit years stand for 1950 to 2049, and only others take four digits. */
function isTime(tag: number, content: Uint8Array): boolean {
  if (content.length > 15) return false;
  const text = String.fromCharCode(...content);
  if (tag === derTag.utcTime) {
    if (!timePatterns.utc.test(text)) return false;
    return isCalendarTime(`${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}`);
  }
  if (!timePatterns.generalized.test(text)) return false;
  const year = Number(text.slice(0, 4));
  return (year < 1950 || year > 2049) && isCalendarTime(text);
}

function primitiveFault(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case derTag.boolean:
      // X.690 §11.1: true is all ones.
      return content.length === 1 && (content[0] === 0x00 || content[0] === 0xff)
        ? undefined
        : "der boolean";
    case derTag.integer:
      return isMinimalInteger(content) ? undefined : "der integer";
    case derTag.bitString:
      return isBitString(content) ? undefined : "der bit string";
    case derTag.octetString:
      return undefined;
    case derTag.objectId:
      return isObjectId(content) ? undefined : "der object identifier";
    case derTag.utf8String:
      return isUtf8(content) ? undefined : "der utf-8 string";
    case derTag.printableString:
      return matches(content, /^[A-Za-z0-9 '()+,\-./:=?]*$/) ? undefined : "der printable string";
    case derTag.utcTime:
    case derTag.generalizedTime:
      return isTime(tag, content) ? undefined : "der time";
    default:
      // Context-specific and primitive: its type is its reader's matter.
      return (tag & 0xe0) === 0x80 ? undefined : "der type not used";
  }
}

/** Length of header and content at `offset`, or why there is none. */
function readHeader(
  bytes: Uint8Array,
  offset: number,
): { readonly header: number; readonly content: number } | DecodeError {
  const first = bytes[offset + 1];
  if (first === undefined) return new DecodeError("der truncated");
  if (first < 0x80) return { header: 2, content: first };
  if (first === 0x80) return new DecodeError("der indefinite length");
  if (first > 0x82) return new DecodeError("der length too long");
  const high = bytes[offset + 2];
  if (high === undefined) return new DecodeError("der truncated");
  if (first === 0x81) {
    return high < 0x80 ? new DecodeError("der length not minimal") : { header: 3, content: high };
  }
  const low = bytes[offset + 3];
  if (low === undefined) return new DecodeError("der truncated");
  return high === 0 ? new DecodeError("der length not minimal") : {
    header: 4,
    content: high * 256 + low,
  };
}

function readValues(bytes: Bytes, depth: number): DerNode[] | DecodeError {
  if (depth > derDepthMax) return new DecodeError("der too deep");
  const nodes: DerNode[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const tag = bytes[offset] ?? 0;
    if ((tag & 0x1f) === 0x1f) return new DecodeError("der long tag");
    const lengths = readHeader(bytes, offset);
    if (lengths instanceof DecodeError) return lengths;
    const begin = offset + lengths.header;
    const end = begin + lengths.content;
    if (end > bytes.length) return new DecodeError("der truncated");
    const content = bytes.subarray(begin, end);
    let children: readonly DerNode[] = [];
    if (tag === derTag.sequence || tag === derTag.set || (tag & 0xe0) === 0xa0) {
      const inner = readValues(content, depth + 1);
      if (inner instanceof DecodeError) return inner;
      if (tag === derTag.set && !isSorted(inner)) return new DecodeError("der set order");
      children = inner;
    } else {
      const fault = primitiveFault(tag, content);
      if (fault !== undefined) return new DecodeError(fault);
    }
    nodes.push({ tag, content, children, bytes: bytes.subarray(offset, end) });
    offset = end;
  }
  return nodes;
}

/** X.690 §11.6: the parts of a set in ascending order of their bytes. */
function isSorted(nodes: readonly DerNode[]): boolean {
  return nodes.every((node, i) => {
    const before = nodes[i - 1];
    return before === undefined || compareBytes(before.bytes, node.bytes) <= 0;
  });
}

/** Reads exactly one value that fills `bytes`. Never throws. */
export function decodeDer(bytes: Uint8Array): DerNode | DecodeError {
  if (bytes.length === 0) return new DecodeError("der empty");
  const lengths = readHeader(bytes, 0);
  if (lengths instanceof DecodeError) return lengths;
  if (lengths.header + lengths.content < bytes.length) return new DecodeError("der trailing bytes");
  const nodes = readValues(copyBytes(bytes), 0);
  if (nodes instanceof DecodeError) return nodes;
  return nodes[0] ?? new DecodeError("der empty");
}
