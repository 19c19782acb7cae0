import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { equalBytes, fromHex, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { wallTime } from "../base/instant.ts";
import { InvariantError } from "../base/invariant.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { encodeCbor } from "./cbor.ts";
import { decodeCoseSign1, encodeCoseSign1, sameExceptSignature } from "./cose_sign1.ts";
import { recordBytesMax } from "./limits.ts";
import { nodeIdFromBytes, nodeIdToBytes } from "./node_id.ts";
import { offerFromCbor, offerToCbor } from "./offer.ts";
import { decodeRecordPayload, encodeRecordPayload } from "./record.ts";
import {
  decodeRecordKey,
  encodeRecordKey,
  recordKey,
  recordKeyAuthor,
  recordKeyKind,
} from "./record_key.ts";

const author = nodeIdFromBytes(new Uint8Array(32).fill(0xab));
assert(author !== undefined);

Deno.test("a record has these bytes", async () => {
  const bytes = await (await RecordAuthor.create(1)).sign({
    kind: 7,
    serial: 1_700_000_000_001,
    signedAt: 1_700_000_000_000,
    body: new Map([[1, "x"]]),
  });
  const spaced = [
    "d2 84",
    "58 2c a3 01 27 04 58 20 " + toHex((await RecordAuthor.create(1)).publicKey),
    "3a 00010000 01",
    "a0",
    "58 19 85 07 40 1b 0000018bcfe56801 1b 0000018bcfe56800 a1 01 61 78",
    "58 40",
  ].join(" ");
  assertEquals(toHex(bytes.subarray(0, -64)), spaced.replaceAll(" ", ""));
});

Deno.test("an envelope of every payload length opens to the same payload", () => {
  const key = new Uint8Array(32).fill(3);
  const signature = new Uint8Array(64).fill(4);
  for (let length = 0; length < recordBytesMax; length++) {
    const payload = new Uint8Array(length).fill(length);
    const bytes = encodeCoseSign1({ key, payload, signature });
    const envelope = decodeCoseSign1(bytes);
    if (bytes.length > recordBytesMax) {
      assertInstanceOf(envelope, DecodeError);
      continue;
    }
    assert(!(envelope instanceof DecodeError), `${length}`);
    assertEquals(envelope.payload, payload);
    assertEquals(envelope.key, key);
    assertEquals(envelope.signature, signature);
  }
});

Deno.test("an envelope has one form: each changed byte outside key, payload and signature is refused", () => {
  const key = new Uint8Array(32).fill(3);
  const payload = new Uint8Array(30).fill(9);
  const bytes = encodeCoseSign1({ key, payload, signature: new Uint8Array(64) });
  const keyAt = 10;
  const payloadAt = bytes.length - 64 - 2 - 30;
  for (let at = 0; at < bytes.length - 64; at++) {
    if ((at >= keyAt && at < keyAt + 32) || (at >= payloadAt && at < payloadAt + 30)) continue;
    for (let bit = 0; bit < 8; bit++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      assertInstanceOf(decodeCoseSign1(changed), DecodeError, `byte ${at}`);
    }
  }
  for (const cut of [0, 1, 50, 100, bytes.length - 1]) {
    assertInstanceOf(decodeCoseSign1(bytes.slice(0, cut)), DecodeError);
  }
  assertInstanceOf(decodeCoseSign1(Uint8Array.of(...bytes, 0)), DecodeError);
});

Deno.test("another signature over the same payload is the same said", () => {
  const key = new Uint8Array(32);
  const one = encodeCoseSign1({ key, payload: key, signature: new Uint8Array(64) });
  const two = encodeCoseSign1({ key, payload: key, signature: new Uint8Array(64).fill(1) });
  const three = encodeCoseSign1({
    key,
    payload: new Uint8Array(32).fill(1),
    signature: new Uint8Array(64),
  });
  assert(!equalBytes(one, two) && sameExceptSignature(one, two));
  assert(!sameExceptSignature(one, three));
});

Deno.test("a payload goes out and comes back at the ends of its ranges", () => {
  for (const serial of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const payload = {
      kind: 200,
      subject: new Uint8Array(32).fill(1),
      serial,
      signedAt: wallTime(serial),
      body: null,
    };
    assertEquals(decodeRecordPayload(encodeRecordPayload(payload)), payload);
  }
});

Deno.test("a payload out of its ranges is refused", () => {
  const none = new Uint8Array(0);
  const wrong = [
    [256, none, 1, 1, null],
    [-1, none, 1, 1, null],
    [0, new Uint8Array(1), 1, 1, null],
    [200, new Uint8Array(33), 1, 1, null],
    [0, none, -1, 1, null],
    [0, none, 1.5, 1, null],
    [0, none, 1, -1, null],
    [0, none, 1, 1],
    [0, none, 1, 1, null, null],
    ["0", none, 1, 1, null],
  ];
  for (const items of wrong) {
    assertInstanceOf(decodeRecordPayload(encodeCbor(items)), DecodeError, String(items));
  }
  // 2⁵³ as serial.
  const past = fromHex("850040" + "1b0020000000000000" + "01" + "f6");
  assertInstanceOf(decodeRecordPayload(past ?? none), DecodeError);
});

Deno.test("a key says its kind and author, ends in its subject, and sorts as its bytes do", () => {
  const subject = Uint8Array.of(1, 2, 255);
  const key = recordKey(130, author, subject);
  assertEquals(key, "82" + "ab".repeat(32) + "0102ff");
  assertEquals(decodeRecordKey(encodeRecordKey(key)), key);
  assertEquals(recordKeyKind(key), 130);
  assertEquals(recordKeyAuthor(key), author);
});

Deno.test("what cannot be a key is none", () => {
  const id = nodeIdToBytes(author);
  assertInstanceOf(decodeRecordKey(id), DecodeError);
  assertInstanceOf(decodeRecordKey(Uint8Array.of(0, ...id, 1)), DecodeError);
  assertInstanceOf(decodeRecordKey(Uint8Array.of(127, ...id, 1)), DecodeError);
  assertInstanceOf(decodeRecordKey(Uint8Array.of(128, ...id, ...id, 1)), DecodeError);
  assertThrows(() => recordKey(0, author, Uint8Array.of(1)), InvariantError);
});

Deno.test("an offer has these bytes", () => {
  const hashPrefix = new Uint8Array(16).fill(0xcd);
  const offer = { key: recordKey(1, author, new Uint8Array(0)), serial: 5, hashPrefix };
  const value = offerToCbor(offer);
  assertEquals(
    toHex(encodeCbor(value)),
    "83" + "5821" + "01" + "ab".repeat(32) + "05" + "50" + "cd".repeat(16),
  );
  assertEquals(offerFromCbor(value), offer);
});

Deno.test("an offer with a bad key, serial or hash is refused", () => {
  const key = Uint8Array.of(0, ...nodeIdToBytes(author));
  const hash = new Uint8Array(16);
  for (
    const wrong of [
      [key.slice(1), 1, hash],
      [Uint8Array.of(...key, 1), 1, hash],
      [key, -1, hash],
      [key, 1, hash.slice(1)],
      [key, 1, new Uint8Array(32)],
      [key, 1],
      [key, 1, hash, 0],
    ]
  ) assertInstanceOf(offerFromCbor(wrong), DecodeError);
});
