/**
 * The messages inside sealed datagrams: what one node asks another and what it answers. Each is one
 * deterministic CBOR array `[number, …]`; request and answer of a pair share the number. Numbers are
 * append-only: one that is not understood is answered with the notice `message unknown`. PROTOCOL §6.
 *
 * ```
 *    request                                     answer
 *  0 –                                           notice [0, code, value]
 *  1 ping       [1]                              [1, seen ip 4|16 bytes, seen port]
 *  2 probe      [2, kinds, digest 16]            [2, kinds, digest 16]
 *  3 compare    [3, kinds, [range…], held]       [3, kinds, [result…], held]
 *  4 fetch      [4, [key…]]                      [4, [record bytes…]]
 *  5 offer      [5, [offer…]]                    [5]
 *  6 push       [6, [record bytes…]]             [6, accepted count]
 *  7 leaving    [7, boot nonce 16]               [7]
 *  8 restarting [8, boot nonce 16]               [8]
 *  9 let go     [9, exchange hash 32]            [9]
 * 10 relay      [10, id prefix 16, reply tag 8, datagram ≤ 256]   [10, datagram ≤ 256]
 *
 * kinds   [[first, last]…] ascending with gaps between, 0–255, both included
 * range   [low, high, fingerprint 16]   low: 0–65 bytes, included; high: 1–65 bytes or null (the
 *         end), not included; ranges ascending and disjoint
 * result  [0] equal · [1, [offer…]] all the answerer holds in the range, by key ·
 *         [2, [[high, fingerprint 16]…]] the range in parts: the first begins at its low, each other
 *         at the high before it, the last ends at its high
 * held    about how many records the sender holds, of all kinds; below 2³²
 * ```
 *
 * Results stand for the ranges in order, as many as fit; the answer's kinds are the intersection of
 * those asked and those kept. Decoding checks form and order, never truth.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { type IpAddress, ipFromBytes, ipToBytes } from "../base/ip.ts";
import { asArray, asBytes, asUint, type CborValue, decodeCbor, encodeCbor } from "./cbor.ts";
import {
  type CompareAnswer,
  compareAnswerItems,
  type CompareRequest,
  compareRequestItems,
  decodeCompareAnswer,
  decodeCompareRequest,
} from "./compare.ts";
import { type KindRange, kindsFromCbor, kindsToCbor } from "./key_range.ts";
import {
  bootNonceLength,
  exchangeHashLength,
  fingerprintLength,
  messageBytesMax,
  messageItemsMax,
  recordBytesMax,
  relayedBytesMax,
} from "./limits.ts";
import { replyTagLength, requestOverhead } from "./datagram.ts";
import { nodeIdPrefixLength } from "./node_id.ts";
import { decodeEach, type MessageItems, wrongShape } from "./message_items.ts";
import { type Offer, offerFromCbor, offerToCbor } from "./offer.ts";
import { decodeRecordKey, encodeRecordKey, type RecordKey } from "./record_key.ts";

export type {
  CompareAnswer,
  ComparedRange,
  CompareRequest,
  CompareResult,
  SplitPart,
} from "./compare.ts";

/** The one table of message numbers. Append only. */
export const messageNumbers = {
  notice: 0,
  ping: 1,
  probe: 2,
  compare: 3,
  fetch: 4,
  offer: 5,
  push: 6,
  leaving: 7,
  restarting: 8,
  letGo: 9,
  relay: 10,
} as const;

/** The one table of notice codes. Append only. */
export const noticeCodes = {
  /** The request came from another time; `value` is the answerer's monotonic clock in ms. */
  myTimeIs: 1,
  /** Ask again with the cookie that came beside this. */
  cookieNeeded: 2,
  /** `value` is the number that was not understood. */
  messageUnknown: 3,
  /** Ask again later. */
  busy: 4,
} as const;

/** What the sender holds of these kinds, in one digest; asked and answered alike. */
export interface ProbeMessage {
  readonly kind: "probe";
  readonly kinds: readonly KindRange[];
  /** 16 bytes. */
  readonly digest: Bytes;
}

/** Asks for the records under these keys. */
export interface FetchRequest {
  readonly kind: "fetch";
  readonly keys: readonly RecordKey[];
}

/** Records as bytes, unverified; as many as fit. */
export interface FetchAnswer {
  readonly kind: "fetch";
  readonly records: readonly Bytes[];
}

/** Names versions that the sender holds. */
export interface OfferRequest {
  readonly kind: "offer";
  readonly offers: readonly Offer[];
}

/** Records as bytes, unverified, unasked for. */
export interface PushRequest {
  readonly kind: "push";
  readonly records: readonly Bytes[];
}

/** An answer's notice; a code that this program does not know is kept as it came. */
export interface NoticeMessage {
  readonly kind: "notice";
  readonly code: number;
  readonly value: number;
}

/** Asks to send a sealed request of the asker's on to a peer of the answerer's. */
export interface RelayRequest {
  readonly kind: "relay";
  /** First 16 bytes of the peer's id. */
  readonly to: Bytes;
  /** The 8 bytes that the peer's answer will bear in the clear. */
  readonly replyTag: Bytes;
  /** The request, whole. */
  readonly datagram: Bytes;
}

/** The peer's answer as it came; empty: none came, or it was not sent on. */
export interface RelayAnswer {
  readonly kind: "relay";
  readonly datagram: Bytes;
}

/** What one node asks another. */
export type RequestMessage =
  | { readonly kind: "ping" }
  | ProbeMessage
  | CompareRequest
  | FetchRequest
  | OfferRequest
  | PushRequest
  | { readonly kind: "leaving"; readonly bootNonce: Bytes }
  | { readonly kind: "restarting"; readonly bootNonce: Bytes }
  | { readonly kind: "letGo"; readonly exchangeHash: Bytes }
  | RelayRequest;

/** What is answered: the same kind, or a notice. */
export type AnswerMessage =
  | NoticeMessage
  | { readonly kind: "ping"; readonly seenIp: IpAddress; readonly seenPort: number }
  | ProbeMessage
  | CompareAnswer
  | FetchAnswer
  | { readonly kind: "offer" }
  | { readonly kind: "push"; readonly accepted: number }
  | { readonly kind: "leaving" }
  | { readonly kind: "restarting" }
  | { readonly kind: "letGo" }
  | RelayAnswer;

/** Whether the request changes state or has a big answer, and so needs a right cookie. */
export function needsCookie(request: RequestMessage): boolean {
  return request.kind !== "ping" && request.kind !== "probe";
}

/** The request's one form in bytes. */
export function encodeRequest(request: RequestMessage): Bytes {
  return encodeCbor([messageNumbers[request.kind], ...requestItems(request)]);
}

function requestItems(request: RequestMessage): readonly CborValue[] {
  switch (request.kind) {
    case "ping":
      return [];
    case "probe":
      return [kindsToCbor(request.kinds), request.digest];
    case "compare":
      return compareRequestItems(request);
    case "fetch":
      return [request.keys.map(encodeRecordKey)];
    case "offer":
      return [request.offers.map(offerToCbor)];
    case "push":
      return [request.records];
    case "leaving":
    case "restarting":
      return [request.bootNonce];
    case "letGo":
      return [request.exchangeHash];
    case "relay":
      return [request.to, request.replyTag, request.datagram];
  }
}

/** The answer's one form in bytes. */
export function encodeAnswer(answer: AnswerMessage): Bytes {
  return encodeCbor([messageNumbers[answer.kind], ...answerItems(answer)]);
}

function answerItems(answer: AnswerMessage): readonly CborValue[] {
  switch (answer.kind) {
    case "notice":
      return [answer.code, answer.value];
    case "ping":
      return [ipToBytes(answer.seenIp), answer.seenPort];
    case "probe":
      return [kindsToCbor(answer.kinds), answer.digest];
    case "compare":
      return compareAnswerItems(answer);
    case "fetch":
      return [answer.records];
    case "push":
      return [answer.accepted];
    case "relay":
      return [answer.datagram];
    case "offer":
    case "leaving":
    case "restarting":
    case "letGo":
      return [];
  }
}

/** A request whose number this program does not know: to be answered with a notice. */
export class UnknownMessage extends DecodeError {
  readonly number: number;

  constructor(number: number) {
    super("message number unknown");
    this.number = number;
  }
}

function decodeItems(bytes: Uint8Array): readonly [number, MessageItems] | DecodeError {
  if (bytes.length > messageBytesMax) return new DecodeError("message too long");
  const value = decodeCbor(bytes);
  if (value instanceof DecodeError) return value;
  const items = asArray(value, messageItemsMax);
  const number = asUint(items?.[0]);
  if (items === undefined || number === undefined) return new DecodeError("message shape");
  return [number, items.slice(1)];
}

/** The request that fills `bytes`. Never throws. */
export function decodeRequest(bytes: Uint8Array): RequestMessage | DecodeError {
  const decoded = decodeItems(bytes);
  if (decoded instanceof DecodeError) return decoded;
  const [number, items] = decoded;
  switch (number) {
    case messageNumbers.ping:
      return items.length === 0 ? { kind: "ping" } : wrongShape;
    case messageNumbers.probe:
      return decodeProbe(items);
    case messageNumbers.compare:
      return decodeCompareRequest(items);
    case messageNumbers.fetch: {
      const keys = decodeList(items, decodeKey);
      return keys instanceof DecodeError ? keys : { kind: "fetch", keys };
    }
    case messageNumbers.offer: {
      const offers = decodeList(items, offerFromCbor);
      return offers instanceof DecodeError ? offers : { kind: "offer", offers };
    }
    case messageNumbers.push: {
      const records = decodeList(items, decodeRecordBytes);
      return records instanceof DecodeError ? records : { kind: "push", records };
    }
    case messageNumbers.leaving:
    case messageNumbers.restarting: {
      const bootNonce = asBytes(items[0], bootNonceLength);
      if (items.length !== 1 || bootNonce === undefined) return wrongShape;
      return { kind: number === messageNumbers.leaving ? "leaving" : "restarting", bootNonce };
    }
    case messageNumbers.letGo: {
      const exchangeHash = asBytes(items[0], exchangeHashLength);
      if (items.length !== 1 || exchangeHash === undefined) return wrongShape;
      return { kind: "letGo", exchangeHash };
    }
    case messageNumbers.relay:
      return decodeRelayRequest(items);
    default:
      return new UnknownMessage(number);
  }
}

/** The answer that fills `bytes`. Never throws. */
export function decodeAnswer(bytes: Uint8Array): AnswerMessage | DecodeError {
  const decoded = decodeItems(bytes);
  if (decoded instanceof DecodeError) return decoded;
  const [number, items] = decoded;
  switch (number) {
    case messageNumbers.notice: {
      const [code, value] = [asUint(items[0]), asUint(items[1])];
      if (items.length !== 2 || code === undefined || value === undefined) return wrongShape;
      return { kind: "notice", code, value };
    }
    case messageNumbers.ping:
      return decodePingAnswer(items);
    case messageNumbers.probe:
      return decodeProbe(items);
    case messageNumbers.compare:
      return decodeCompareAnswer(items);
    case messageNumbers.fetch: {
      const records = decodeList(items, decodeRecordBytes);
      return records instanceof DecodeError ? records : { kind: "fetch", records };
    }
    case messageNumbers.push: {
      const accepted = asUint(items[0], messageItemsMax);
      return items.length !== 1 || accepted === undefined ? wrongShape : { kind: "push", accepted };
    }
    case messageNumbers.offer:
      return items.length === 0 ? { kind: "offer" } : wrongShape;
    case messageNumbers.leaving:
      return items.length === 0 ? { kind: "leaving" } : wrongShape;
    case messageNumbers.restarting:
      return items.length === 0 ? { kind: "restarting" } : wrongShape;
    case messageNumbers.letGo:
      return items.length === 0 ? { kind: "letGo" } : wrongShape;
    case messageNumbers.relay: {
      const datagram = asBytes(items[0], 0, relayedBytesMax);
      return items.length !== 1 || datagram === undefined
        ? wrongShape
        : { kind: "relay", datagram };
    }
    default:
      return new UnknownMessage(number);
  }
}

function decodeList<T>(
  items: MessageItems,
  decodeItem: (value: CborValue) => T | DecodeError,
): T[] | DecodeError {
  const values = asArray(items[0], messageItemsMax);
  if (items.length !== 1 || values === undefined) return wrongShape;
  return decodeEach(values, decodeItem);
}

function decodeKey(value: CborValue): RecordKey | DecodeError {
  return value instanceof Uint8Array ? decodeRecordKey(value) : new DecodeError("record key");
}

function decodeRecordBytes(value: CborValue): Bytes | DecodeError {
  return asBytes(value, 1, recordBytesMax) ?? new DecodeError("record length");
}

function decodeProbe(items: MessageItems): ProbeMessage | DecodeError {
  const kinds = kindsFromCbor(items[0]);
  const digest = asBytes(items[1], fingerprintLength);
  if (kinds instanceof DecodeError) return kinds;
  return items.length !== 2 || digest === undefined ? wrongShape : { kind: "probe", kinds, digest };
}

function decodeRelayRequest(items: MessageItems): RelayRequest | DecodeError {
  const to = asBytes(items[0], nodeIdPrefixLength);
  const replyTag = asBytes(items[1], replyTagLength);
  const datagram = asBytes(items[2], requestOverhead, relayedBytesMax);
  if (to === undefined || replyTag === undefined || datagram === undefined) return wrongShape;
  return items.length === 3 ? { kind: "relay", to, replyTag, datagram } : wrongShape;
}

function decodePingAnswer(items: MessageItems): AnswerMessage | DecodeError {
  const bytes = asBytes(items[0], 4, 16);
  const seenIp = bytes === undefined ? undefined : ipFromBytes(bytes);
  const seenPort = asUint(items[1], 65_535);
  // A mapped IPv4 address in 16 bytes would be a second form of the one in 4.
  if (items.length !== 2 || seenIp === undefined || seenPort === undefined) return wrongShape;
  if (ipToBytes(seenIp).length !== bytes?.length) return wrongShape;
  return { kind: "ping", seenIp, seenPort };
}
