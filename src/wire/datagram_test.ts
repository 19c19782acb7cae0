import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { counted } from "../../tests/fixtures/bytes.ts";
import {
  answerHeaderLength,
  answerOverhead,
  datagramBytesMax,
  decodeAnswerBody,
  decodeDatagram,
  decodeRequestBody,
  decodeTellBody,
  encodeAnswerBody,
  encodeAnswerHeader,
  encodeRequestBody,
  encodeRequestHeader,
  encodeTellBody,
  encodeWhoAreYou,
  requestHeaderLength,
  requestMessageMax,
  requestOverhead,
  tellMessageMax,
  tellOverhead,
  whoAreYouLength,
} from "./datagram.ts";

function hex(text: string): string {
  return text.replaceAll(" ", "");
}

const handle = "101112131415161718191a1b1c1d1e1f2021222324252627";
const replyKey = "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f";

Deno.test("the lengths are those of PROTOCOL", () => {
  assertEquals(requestHeaderLength, 46);
  assertEquals(requestOverhead, 126);
  assertEquals(requestMessageMax, 1_106);
  assertEquals(tellOverhead, 86);
  assertEquals(tellMessageMax, 1_146);
  assertEquals(answerHeaderLength, 22);
  assertEquals(answerOverhead, 55);
  assertEquals(whoAreYouLength, 14);
  assertEquals(datagramBytesMax, 1_232);
});

Deno.test("a request begins with version, kind, epoch, handle and nonce", () => {
  const header = encodeRequestHeader(
    "request",
    counted(0, 8),
    counted(0x10, 24),
    counted(0x30, 12),
  );
  assertEquals(
    toHex(header),
    hex(`01 01 0001020304050607 ${handle} 303132333435363738393a3b`),
  );
  const bytes = new Uint8Array(130);
  bytes.set(header);
  const request = decodeDatagram(bytes);
  assert(!(request instanceof DecodeError) && request.kind === "request");
  assertEquals(request.epoch, counted(0, 8));
  assertEquals(request.handle, counted(0x10, 24));
  assertEquals(request.nonce, counted(0x30, 12));
  assertEquals(request.header, header);
  assertEquals(request.sealed.length, 130 - 46);
});

Deno.test("a request seals time, reply tag, reply key, cookie and message", () => {
  const body = {
    time: 0x1_0000_0002_03,
    replyTag: counted(0x50, 8),
    replyKey: counted(0x60, 32),
    cookie: counted(0x80, 16),
    message: counted(0x90, 2),
  };
  const bytes = encodeRequestBody(body);
  assertEquals(
    toHex(bytes),
    hex(
      `0000010000000203 5051525354555657 ${replyKey} 808182838485868788898a8b8c8d8e8f 9091`,
    ),
  );
  assertEquals(decodeRequestBody(bytes), body);
  assertEquals(
    decodeRequestBody(encodeRequestBody({ ...body, time: Number.MAX_SAFE_INTEGER })),
    { ...body, time: Number.MAX_SAFE_INTEGER },
  );
});

Deno.test("a tell is a request's header of another kind, and seals time, cookie and message", () => {
  const [epoch, nonce] = [counted(0, 8), counted(0x30, 12)];
  const header = encodeRequestHeader("tell", epoch, counted(0x10, 24), nonce);
  assertEquals(toHex(header), hex(`01 04 0001020304050607 ${handle} 303132333435363738393a3b`));
  const bytes = new Uint8Array(90);
  bytes.set(header);
  const tell = decodeDatagram(bytes);
  assert(!(tell instanceof DecodeError) && tell.kind === "tell");
  assertEquals([tell.epoch, tell.handle, tell.nonce], [epoch, counted(0x10, 24), nonce]);
  assertEquals([tell.header, tell.sealed.length], [header, 44]);
  const body = { time: 0x1_0000_0002_03, cookie: counted(0x80, 16), message: counted(0x90, 2) };
  const plain = encodeTellBody(body);
  assertEquals(toHex(plain), hex("0000010000000203 808182838485868788898a8b8c8d8e8f 9091"));
  assertEquals(decodeTellBody(plain), body);
  assertInstanceOf(decodeTellBody(plain.slice(0, 23)), DecodeError);
  assert(whoAreYouLength < tellOverhead);
});

Deno.test("a time past every clock is read, and lies in nobody's window", () => {
  const bytes = new Uint8Array(64).fill(0xff);
  const body = decodeRequestBody(bytes);
  assert(!(body instanceof DecodeError));
  assertEquals(body.time, Infinity);
});

Deno.test("an answer begins with version, kind, reply tag and nonce", () => {
  const header = encodeAnswerHeader(counted(0x50, 8), counted(0x30, 12));
  assertEquals(toHex(header), hex("01 02 5051525354555657 303132333435363738393a3b"));
  const bytes = new Uint8Array(55);
  bytes.set(header);
  const answer = decodeDatagram(bytes);
  assert(!(answer instanceof DecodeError) && answer.kind === "answer");
  assertEquals(answer.replyTag, counted(0x50, 8));
  assertEquals(answer.nonce, counted(0x30, 12));
  assertEquals(answer.header, header);
  assertEquals(answer.sealed.length, 33);
});

Deno.test("an answer seals cookie, flags, the next grant if there is one, and the message", () => {
  const cookie = counted(0x80, 16);
  const plain = { cookie, message: counted(0x90, 2) };
  const plainHex = "808182838485868788898a8b8c8d8e8f 00 9091";
  assertEquals(toHex(encodeAnswerBody(plain)), hex(plainHex));
  assertEquals(decodeAnswerBody(encodeAnswerBody(plain)), plain);

  const next = { epoch: counted(0, 8), handle: counted(0x10, 24), key: counted(0x60, 32) };
  const bytes = encodeAnswerBody({ ...plain, next });
  assertEquals(
    toHex(bytes),
    hex(`808182838485868788898a8b8c8d8e8f 01 0001020304050607 ${handle} ${replyKey} 9091`),
  );
  assertEquals(decodeAnswerBody(bytes), { ...plain, next });
  assertInstanceOf(decodeAnswerBody(bytes.slice(0, 80)), DecodeError);
  assertInstanceOf(decodeAnswerBody(bytes.slice(0, 16)), DecodeError);
});

Deno.test("flags of a later version are ignored", () => {
  const bytes = encodeAnswerBody({ cookie: counted(0, 16), message: counted(1, 1) });
  bytes[16] = 0xfe;
  assertEquals(decodeAnswerBody(bytes), { cookie: counted(0, 16), message: counted(1, 1) });
});

Deno.test("a who-are-you is the nonce of the request and nothing else", () => {
  const bytes = encodeWhoAreYou(counted(0x30, 12));
  assertEquals(toHex(bytes), hex("01 03 303132333435363738393a3b"));
  assertEquals(decodeDatagram(bytes), { kind: "who-are-you", nonce: counted(0x30, 12) });
  assertInstanceOf(decodeDatagram(new Uint8Array([...bytes, 0])), DecodeError);
  assert(whoAreYouLength < requestOverhead);
});

Deno.test("wrong versions, kinds and lengths are refused", () => {
  const refusals: [Bytes, string][] = [
    [new Uint8Array(0), "datagram too short"],
    [new Uint8Array(13), "datagram too short"],
    [new Uint8Array(1_233), "datagram too long"],
    [new Uint8Array([2, 1, ...new Uint8Array(124)]), "datagram version"],
    [new Uint8Array([1, 0, ...new Uint8Array(124)]), "datagram kind"],
    [new Uint8Array([1, 5, ...new Uint8Array(124)]), "datagram kind"],
    [new Uint8Array([1, 4, ...new Uint8Array(83)]), "datagram too short"],
    [new Uint8Array([1, 1, ...new Uint8Array(123)]), "datagram too short"],
    [new Uint8Array([1, 2, ...new Uint8Array(52)]), "datagram too short"],
  ];
  for (const [bytes, reason] of refusals) {
    const decoded = decodeDatagram(bytes);
    assert(decoded instanceof DecodeError);
    assertEquals(decoded.reason, reason);
  }
});

Deno.test("no bytes make the datagram decoders throw", () => {
  const seed = [0x6461, 1, 2, 3];
  const prng = new Prng(seed);
  for (let i = 0; i < 100_000; i++) {
    const bytes = new Uint8Array(prng.below(prng.below(20) === 0 ? 1_400 : 160));
    for (let at = 0; at < bytes.length; at++) bytes[at] = prng.below(256);
    if (bytes.length > 1 && prng.below(4) > 0) bytes.set([1, prng.below(6)]);
    try {
      decodeDatagram(bytes);
      decodeRequestBody(bytes);
      decodeTellBody(bytes);
      decodeAnswerBody(bytes);
    } catch (cause) {
      throw new Error(`seed ${seed} case ${i}: ${toHex(bytes)}`, { cause });
    }
  }
});
