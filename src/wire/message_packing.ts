/**
 * Cutting long lists into messages that fit a datagram, by sizes known without encoding.
 *
 * @module
 */
import { answerMessageMax, messageItemsMax } from "./limits.ts";
import { requestMessageMax } from "./datagram.ts";
import type { ComparedRange, FetchRequest, OfferRequest, PushRequest } from "./message.ts";
import type { KindRange } from "./key_range.ts";
import type { Offer } from "./offer.ts";
import type { RecordKey } from "./record_key.ts";
import type { Bytes } from "../base/bytes.ts";

/** Bytes of a message beside the items of its one list: array head, number, list head. */
const listMessageHead = 1 + 1 + 3;

/** Most bytes of the number of records held in a comparison. */
export const heldSizeMax = 5;

/** Bytes of a CBOR head with this argument (RFC 8949 §3). */
function cborHeadSize(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  return argument < 0x1_0000_0000 ? 5 : 9;
}

/** Bytes of a CBOR byte string of `length` bytes. */
export function byteStringSize(length: number): number {
  return cborHeadSize(length) + length;
}

/** Bytes of an offer inside a message. */
export function offerSize(offer: Offer): number {
  return 1 + byteStringSize(offer.key.length / 2) + cborHeadSize(offer.serial) +
    byteStringSize(offer.hashPrefix.length);
}

/** How many of the items, from the first on, fit `budgetBytes` and `itemsMax`. */
function fitting<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  budgetBytes: number,
  itemsMax: number,
): number {
  let left = budgetBytes;
  let count = 0;
  for (const item of items) {
    left -= sizeOf(item);
    if (left < 0 || count === itemsMax) break;
    count += 1;
  }
  return count;
}

function inGroups<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  itemsMax: number,
): T[][] {
  const groups: T[][] = [];
  let from = 0;
  while (from < items.length) {
    const rest = items.slice(from, from + itemsMax);
    const count = fitting(rest, sizeOf, requestMessageMax - listMessageHead, itemsMax);
    groups.push(rest.slice(0, Math.max(1, count)));
    from += Math.max(1, count);
  }
  return groups;
}

/** Fetch requests for the keys, at most `keysMax` in each, none over `requestMessageMax` bytes. */
export function fetchRequests(keys: readonly RecordKey[], keysMax: number): FetchRequest[] {
  return inGroups(keys, (key) => byteStringSize(key.length / 2), keysMax)
    .map((group) => ({ kind: "fetch", keys: group }));
}

/** Offer requests for the offers, none over `requestMessageMax` bytes. */
export function offerRequests(offers: readonly Offer[]): OfferRequest[] {
  return inGroups(offers, offerSize, messageItemsMax)
    .map((group) => ({ kind: "offer", offers: group }));
}

/** Push requests for the records' bytes (each at most 1,000), none over `requestMessageMax` bytes. */
export function pushRequests(records: readonly Bytes[]): PushRequest[] {
  return inGroups(records, (record) => byteStringSize(record.length), messageItemsMax)
    .map((group) => ({ kind: "push", records: group }));
}

/** How many of the records, from the first on, an answer of `budgetBytes` holds; one always fits. */
export function recordsFitting(
  records: readonly Bytes[],
  budgetBytes: number = answerMessageMax,
): number {
  const budget = budgetBytes - listMessageHead;
  return fitting(records, (record) => byteStringSize(record.length), budget, messageItemsMax);
}

/** How many of the ranges, from the first on, one comparison of these kinds can ask. */
export function rangesFitting(
  ranges: readonly Omit<ComparedRange, "fingerprint">[],
  kinds: readonly KindRange[],
  rangesMax: number,
): number {
  const budget = requestMessageMax - listMessageHead - 1 - 5 * kinds.length - heldSizeMax;
  const sizeOf = (range: Omit<ComparedRange, "fingerprint">) =>
    1 + byteStringSize(range.low.length / 2) + 17 +
    (range.high === undefined ? 1 : byteStringSize(range.high.length / 2));
  return fitting(ranges, sizeOf, budget, rangesMax);
}
