/**
 * The four datagrams, outside: what stands in the clear and where the sealed part begins; and the
 * layout of the sealed parts. Sealing itself is `crypto/datagram.ts`, the meaning of a message is
 * `message.ts`. All integers are big-endian. PROTOCOL §5.
 *
 * ```
 * request      version 1 · kind 1 · epoch 8 · handle 24 · nonce 12 · sealed { time 8 · reply tag 8 ·
 *              reply key 32 · cookie 16 · message } · GCM tag 16
 * answer       version 1 · kind 1 · reply tag 8 · nonce 12 · sealed { cookie 16 · flags 1 ·
 *              [next epoch 8 · its handle 24 · its key 32] · message } · GCM tag 16
 * who are you  version 1 · kind 1 · nonce of the request or tell 12
 * tell         version 1 · kind 1 · epoch 8 · handle 24 · nonce 12 · sealed { time 8 · cookie 16 ·
 *              message } · GCM tag 16
 * ```
 *
 * Decoders return views of the bytes given, never copies, and never throw.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import {
  decodeNextGrant,
  epochNameLength,
  handleLength,
  type NextGrant,
  nextGrantLength,
  pairKeyLength,
  writeNextGrant,
} from "./grant.ts";

/** The version that this program speaks. */
const datagramVersion = 1;
/** Kinds, append-only. */
const datagramKinds = { request: 1, answer: 2, whoAreYou: 3, tell: 4 } as const;
/** Most bytes of UDP payload: IPv6's minimum MTU 1,280 less its header 40 and UDP's 8. */
export const datagramBytesMax = 1_232;
/** Bytes of a nonce (AES-GCM, and what a who-are-you echoes). */
export const nonceLength = 12;
/** Bytes of the tag by which a requester finds what an answer is for. */
export const replyTagLength = 8;
/** Bytes of the key under which the answer is sealed (AES-256). */
export const replyKeyLength = pairKeyLength;
/** Bytes of a cookie. */
export const cookieLength = 16;
/** Bytes of an AES-GCM tag. */
const sealTagLength = 16;

const timeLength = 8;
const nonceAt = 2 + epochNameLength + handleLength;
/** Bytes of a request or a tell in the clear; they are the associated data of its seal. */
export const requestHeaderLength = nonceAt + nonceLength;
const requestBodyFixed = timeLength + replyTagLength + replyKeyLength + cookieLength;
/** Bytes of a request around its message: 126. */
export const requestOverhead = requestHeaderLength + requestBodyFixed + sealTagLength;
/** Most bytes of a message in a request: 1,106. */
export const requestMessageMax = datagramBytesMax - requestOverhead;
const tellBodyFixed = timeLength + cookieLength;
/** Bytes of a tell around its message: 86. */
export const tellOverhead = requestHeaderLength + tellBodyFixed + sealTagLength;
/** Most bytes of a message in a tell: 1,146. What is told may have to be asked, so 1,106 are used. */
export const tellMessageMax = datagramBytesMax - tellOverhead;
/** Bytes of an answer in the clear; they are the associated data of its seal. */
export const answerHeaderLength = 2 + replyTagLength + nonceLength;
const answerBodyFixed = cookieLength + 1;
/** Bytes of an answer around its message, without a next grant: 55. */
export const answerOverhead = answerHeaderLength + answerBodyFixed + sealTagLength;
/** Bytes of a who-are-you, all of them: 14. */
export const whoAreYouLength = 2 + nonceLength;

const flagNextGrant = 1;

/** A request or a tell as it arrived; views of the datagram. */
export interface RequestDatagram {
  readonly kind: "request" | "tell";
  readonly epoch: Bytes;
  readonly handle: Bytes;
  readonly nonce: Bytes;
  /** The associated data of the seal. */
  readonly header: Bytes;
  readonly sealed: Bytes;
}

/** An answer as it arrived; views of the datagram. */
export interface AnswerDatagram {
  readonly kind: "answer";
  readonly replyTag: Bytes;
  readonly nonce: Bytes;
  /** The associated data of the seal. */
  readonly header: Bytes;
  readonly sealed: Bytes;
}

/** A who-are-you as it arrived. Anybody can make one: it proves nothing. */
export interface WhoAreYouDatagram {
  readonly kind: "who-are-you";
  /** Nonce of the request or tell that was not understood; a view of the datagram. */
  readonly nonce: Bytes;
}

/** Tells the four apart and finds their parts; checks lengths, version and kind, nothing else. */
export function decodeDatagram(
  bytes: Bytes,
): RequestDatagram | AnswerDatagram | WhoAreYouDatagram | DecodeError {
  if (bytes.length < whoAreYouLength) return new DecodeError("datagram too short");
  if (bytes.length > datagramBytesMax) return new DecodeError("datagram too long");
  if (bytes[0] !== datagramVersion) return new DecodeError("datagram version");
  switch (bytes[1]) {
    case datagramKinds.request:
      return bytes.length < requestOverhead
        ? new DecodeError("datagram too short")
        : requestParts("request", bytes);
    case datagramKinds.tell:
      return bytes.length < tellOverhead
        ? new DecodeError("datagram too short")
        : requestParts("tell", bytes);
    case datagramKinds.answer:
      return bytes.length < answerOverhead ? new DecodeError("datagram too short") : {
        kind: "answer",
        replyTag: bytes.subarray(2, 2 + replyTagLength),
        nonce: bytes.subarray(2 + replyTagLength, answerHeaderLength),
        header: bytes.subarray(0, answerHeaderLength),
        sealed: bytes.subarray(answerHeaderLength),
      };
    case datagramKinds.whoAreYou:
      return bytes.length !== whoAreYouLength
        ? new DecodeError("who-are-you length")
        : { kind: "who-are-you", nonce: bytes.subarray(2) };
    default:
      return new DecodeError("datagram kind");
  }
}

function requestParts(kind: RequestDatagram["kind"], bytes: Bytes): RequestDatagram {
  return {
    kind,
    epoch: bytes.subarray(2, 2 + epochNameLength),
    handle: bytes.subarray(2 + epochNameLength, nonceAt),
    nonce: bytes.subarray(nonceAt, requestHeaderLength),
    header: bytes.subarray(0, requestHeaderLength),
    sealed: bytes.subarray(requestHeaderLength),
  };
}

/**
 * The 46 bytes of a request or a tell in the clear. The kind stands in them, and they are what the
 * seal is over, so neither can be taken for the other. Lengths: epoch 8, handle 24, nonce 12.
 */
export function encodeRequestHeader(
  kind: RequestDatagram["kind"],
  epoch: Uint8Array,
  handle: Uint8Array,
  nonce: Uint8Array,
): Bytes {
  const header = new Uint8Array(requestHeaderLength);
  header[0] = datagramVersion;
  header[1] = datagramKinds[kind];
  header.set(epoch, 2);
  header.set(handle, 2 + epochNameLength);
  header.set(nonce, nonceAt);
  return header;
}

/** The 22 bytes of an answer in the clear. Lengths: reply tag 8, nonce 12. */
export function encodeAnswerHeader(replyTag: Uint8Array, nonce: Uint8Array): Bytes {
  const header = new Uint8Array(answerHeaderLength);
  header[0] = datagramVersion;
  header[1] = datagramKinds.answer;
  header.set(replyTag, 2);
  header.set(nonce, 2 + replyTagLength);
  return header;
}

/** The 14 bytes of a who-are-you that echoes the nonce of a request or tell. */
export function encodeWhoAreYou(nonce: Uint8Array): Bytes {
  const bytes = new Uint8Array(whoAreYouLength);
  bytes[0] = datagramVersion;
  bytes[1] = datagramKinds.whoAreYou;
  bytes.set(nonce, 2);
  return bytes;
}

/** What a request seals. */
export interface RequestBody {
  /** The answerer's monotonic clock as the requester believes it, whole milliseconds. */
  readonly time: number;
  /** 8 bytes. */
  readonly replyTag: Bytes;
  /** 32 bytes, fresh. Secret. */
  readonly replyKey: Bytes;
  /** 16 bytes, or as many zeros if there is none. */
  readonly cookie: Bytes;
  /** At most `requestMessageMax` bytes, opaque here. */
  readonly message: Bytes;
}

const requestTagAt = timeLength;
const requestKeyAt = requestTagAt + replyTagLength;
const requestCookieAt = requestKeyAt + replyKeyLength;

function writeTime(time: number, bytes: Bytes): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, timeLength);
  view.setUint32(0, Math.floor(time / 0x1_0000_0000));
  view.setUint32(4, time % 0x1_0000_0000);
}

function readTime(bytes: Bytes): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, timeLength);
  const time = view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
  return Number.isSafeInteger(time) ? time : Infinity;
}

/** The plaintext of a request; `time` is a safe integer from 0. */
export function encodeRequestBody(body: RequestBody): Bytes {
  const bytes = new Uint8Array(requestBodyFixed + body.message.length);
  writeTime(body.time, bytes);
  bytes.set(body.replyTag, requestTagAt);
  bytes.set(body.replyKey, requestKeyAt);
  bytes.set(body.cookie, requestCookieAt);
  bytes.set(body.message, requestBodyFixed);
  return bytes;
}

/**
 * Finds the parts of a request's plaintext. A time past 2⁵³ − 1 reads as `Infinity`: it lies in
 * nobody's window, and its sender is authentic and is told the time.
 */
export function decodeRequestBody(bytes: Bytes): RequestBody | DecodeError {
  if (bytes.length < requestBodyFixed) return new DecodeError("request body length");
  return {
    time: readTime(bytes),
    replyTag: bytes.subarray(requestTagAt, requestKeyAt),
    replyKey: bytes.subarray(requestKeyAt, requestCookieAt),
    cookie: bytes.subarray(requestCookieAt, requestBodyFixed),
    message: bytes.subarray(requestBodyFixed),
  };
}

/** What a tell seals. */
export type TellBody = Pick<RequestBody, "time" | "cookie" | "message">;

/** The plaintext of a tell; `time` is a safe integer from 0, the cookie 16 bytes. */
export function encodeTellBody(body: TellBody): Bytes {
  const bytes = new Uint8Array(tellBodyFixed + body.message.length);
  writeTime(body.time, bytes);
  bytes.set(body.cookie, timeLength);
  bytes.set(body.message, tellBodyFixed);
  return bytes;
}

/** Finds the parts of a tell's plaintext; its time as in a request. */
export function decodeTellBody(bytes: Bytes): TellBody | DecodeError {
  if (bytes.length < tellBodyFixed) return new DecodeError("tell body length");
  return {
    time: readTime(bytes),
    cookie: bytes.subarray(timeLength, tellBodyFixed),
    message: bytes.subarray(tellBodyFixed),
  };
}

/** What an answer seals. */
export interface AnswerBody {
  /** 16 bytes: what makes the requester's next request from this address trusted as coming from it. */
  readonly cookie: Bytes;
  /** Grant for the answerer's newer epoch, if the request came under an older one. */
  readonly next?: NextGrant;
  /** Opaque here. */
  readonly message: Bytes;
}

/** The plaintext of an answer. */
export function encodeAnswerBody(body: AnswerBody): Bytes {
  const messageAt = answerBodyFixed + (body.next === undefined ? 0 : nextGrantLength);
  const bytes = new Uint8Array(messageAt + body.message.length);
  bytes.set(body.cookie, 0);
  if (body.next !== undefined) {
    bytes[cookieLength] = flagNextGrant;
    writeNextGrant(body.next, bytes, answerBodyFixed);
  }
  bytes.set(body.message, messageAt);
  return bytes;
}

/** Finds the parts of an answer's plaintext. Flags other than bit 0 are ignored. */
export function decodeAnswerBody(bytes: Bytes): AnswerBody | DecodeError {
  if (bytes.length < answerBodyFixed) return new DecodeError("answer body length");
  const cookie = bytes.subarray(0, cookieLength);
  if (((bytes[cookieLength] ?? 0) & flagNextGrant) === 0) {
    return { cookie, message: bytes.subarray(answerBodyFixed) };
  }
  const messageAt = answerBodyFixed + nextGrantLength;
  if (bytes.length < messageAt) return new DecodeError("answer body length");
  const next = decodeNextGrant(bytes.subarray(answerBodyFixed, messageAt));
  return next instanceof DecodeError ? next : { cookie, next, message: bytes.subarray(messageAt) };
}
