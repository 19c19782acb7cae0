import { assert, assertEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { ip } from "../../tests/fixtures/addresses.ts";
import { counted, hex } from "../../tests/fixtures/bytes.ts";
import { encodeCbor } from "./cbor.ts";
import { requestMessageMax } from "./datagram.ts";
import { administratorBound, allKinds, keyBound, lowestBound } from "./key_range.ts";
import { answerMessageMax } from "./limits.ts";
import {
  type AnswerMessage,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  messageNumbers,
  type RequestMessage,
  UnknownMessage,
} from "./message.ts";
import { fetchRequests, offerRequests, offerSize, pushRequests } from "./message_packing.ts";
import { offerToCbor } from "./offer.ts";
import { decodeRecordKey } from "./record_key.ts";

const sixteen = "00010203 04050607 08090a0b 0c0d0e0f";
const authorHex = "11".repeat(32);
const key = decodeRecordKey(hex(`00 ${authorHex}`));
assert(!(key instanceof DecodeError));
const offer = { key, serial: 1_700_000_000_000, hashPrefix: counted(0, 16) };
const offerHex = `83 5821 00 ${authorHex} 1b 0000018bcfe56800 50 ${sixteen}`;
const recordBytes = hex("d28401");
const ipv4 = ip("192.0.2.7");
const ipv6 = ip("2001:db8::1");

const requests: readonly (readonly [RequestMessage, string])[] = [
  [{ kind: "ping" }, "81 01"],
  [
    { kind: "probe", kinds: allKinds, digest: counted(0, 16) },
    `83 02 81 82 00 18ff 50 ${sixteen}`,
  ],
  [
    {
      kind: "compare",
      kinds: allKinds,
      ranges: [
        { low: lowestBound, high: administratorBound, fingerprint: counted(0, 16) },
        { low: administratorBound, high: undefined, fingerprint: counted(0, 16) },
      ],
      held: 1_000,
    },
    `84 03 81 82 00 18ff 82 83 40 4180 50 ${sixteen} 83 4180 f6 50 ${sixteen} 1903e8`,
  ],
  [{ kind: "fetch", keys: [key] }, `82 04 81 5821 00 ${authorHex}`],
  [{ kind: "offer", offers: [offer] }, `82 05 81 ${offerHex}`],
  [{ kind: "push", records: [recordBytes] }, "82 06 81 43 d28401"],
  [{ kind: "leaving", bootNonce: counted(0, 16) }, `82 07 50 ${sixteen}`],
  [{ kind: "restarting", bootNonce: counted(0, 16) }, `82 08 50 ${sixteen}`],
  [
    { kind: "letGo", exchangeHash: counted(0, 32) },
    `82 09 5820 ${sixteen} 10111213 14151617 18191a1b 1c1d1e1f`,
  ],
  [
    {
      kind: "relay",
      to: counted(0, 16),
      replyTag: counted(0, 8),
      datagram: new Uint8Array(126).fill(0xdd),
    },
    `84 0a 50 ${sixteen} 48 00010203 04050607 587e ${"dd".repeat(126)}`,
  ],
];

const answers: readonly (readonly [AnswerMessage, string])[] = [
  [{ kind: "notice", code: 1, value: 1_000 }, "83 00 01 1903e8"],
  [{ kind: "ping", seenIp: ipv4, seenPort: 7_411 }, "83 01 44 c0000207 191cf3"],
  [
    { kind: "ping", seenIp: ipv6, seenPort: 7_411 },
    "83 01 50 20010db8000000000000000000000001 191cf3",
  ],
  [
    { kind: "probe", kinds: allKinds, digest: counted(0, 16) },
    `83 02 81 82 00 18ff 50 ${sixteen}`,
  ],
  [
    {
      kind: "compare",
      kinds: [{ first: 0, last: 127 }],
      results: [
        { kind: "equal" },
        { kind: "list", offers: [offer] },
        {
          kind: "split",
          parts: [
            { high: keyBound(hex("0102")), fingerprint: counted(0, 16) },
            { high: undefined, fingerprint: counted(0, 16) },
          ],
        },
      ],
      held: 2,
    },
    `84 03 81 82 00 187f 83 81 00 82 01 81 ${offerHex} 82 02 82 82 420102 50 ${sixteen} ` +
    `82 f6 50 ${sixteen} 02`,
  ],
  [{ kind: "fetch", records: [recordBytes] }, "82 04 81 43 d28401"],
  [{ kind: "offer" }, "81 05"],
  [{ kind: "push", accepted: 1 }, "82 06 01"],
  [{ kind: "leaving" }, "81 07"],
  [{ kind: "restarting" }, "81 08"],
  [{ kind: "letGo" }, "81 09"],
  [{ kind: "relay", datagram: hex("d2 84") }, "82 0a 42 d284"],
  [{ kind: "relay", datagram: hex("") }, "82 0a 40"],
];

Deno.test("each request is exactly these bytes, and these bytes are that request", () => {
  for (const [message, text] of requests) {
    assertEquals(toHex(encodeRequest(message)), toHex(hex(text)), message.kind);
    assertEquals(decodeRequest(hex(text)), message);
  }
});

Deno.test("each answer is exactly these bytes, and these bytes are that answer", () => {
  for (const [message, text] of answers) {
    assertEquals(toHex(encodeAnswer(message)), toHex(hex(text)), message.kind);
    assertEquals(decodeAnswer(hex(text)), message);
  }
});

Deno.test("every message number has a vector", () => {
  const seen = new Set<string>([...requests, ...answers].map(([message]) => message.kind));
  assertEquals([...seen].sort(), Object.keys(messageNumbers).sort());
});

Deno.test("a number that is not in the table is told apart from damage", () => {
  const unknown = decodeRequest(hex("82 17 01"));
  assert(unknown instanceof UnknownMessage);
  assertEquals(unknown.number, 23);
  const damaged = decodeRequest(hex("82 01 01"));
  assert(damaged instanceof DecodeError && !(damaged instanceof UnknownMessage));
  // A request never is a notice.
  assert(decodeRequest(hex("83 00 01 1903e8")) instanceof UnknownMessage);
});

const refusedRequests: Readonly<Record<string, string>> = {
  "no array": "01",
  "an empty array": "80",
  "a ping with something more": "82 01 00",
  "a long integer": "81 1801",
  "bytes behind the message": "81 01 00",
  "a relay of less than a request": `84 0a 50 ${sixteen} 48 0001020304050607 587d ${
    "dd".repeat(125)
  }`,
  "a relay of more than may be": `84 0a 50 ${sixteen} 48 0001020304050607 590101 ${
    "dd".repeat(257)
  }`,
  "a relay to a whole id": `84 0a 5820 ${sixteen} ${sixteen} 48 0001020304050607 587e ${
    "dd".repeat(126)
  }`,
  "kinds that touch": `83 02 82 82 00 01 82 02 03 50 ${sixteen}`,
  "kinds upside down": `83 02 81 82 05 04 50 ${sixteen}`,
  "a kind over 255": `83 02 81 82 00 190100 50 ${sixteen}`,
  "a digest too short": "83 02 81 82 00 18ff 41 00",
  "no ranges": "83 03 81 82 00 18ff 80",
  "a range without a low end": `83 03 81 82 00 18ff 81 83 f6 f6 50 ${sixteen}`,
  "an empty range": `83 03 81 82 00 18ff 81 83 4180 4180 50 ${sixteen}`,
  "overlapping ranges": `83 03 81 82 00 18ff 82 83 40 4181 50 ${sixteen} 83 4180 f6 50 ${sixteen}`,
  "a range behind the end":
    `83 03 81 82 00 18ff 82 83 40 f6 50 ${sixteen} 83 4180 f6 50 ${sixteen}`,
  "a short key": "82 04 81 41 00",
  "a self key with a subject": `82 04 81 5822 00 ${authorHex} 00`,
  "an empty record": "82 06 81 40",
  "a boot nonce of 15 bytes": "82 07 4f 000102030405060708090a0b0c0d0e",
};

Deno.test("a malformed request is refused", () => {
  for (const [what, text] of Object.entries(refusedRequests)) {
    assert(decodeRequest(hex(text)) instanceof DecodeError, what);
  }
  const long = new Uint8Array(1_001);
  assert(decodeRequest(encodeCbor([6, [long]])) instanceof DecodeError, "a record of 1,001 bytes");
});

const refusedAnswers: Readonly<Record<string, string>> = {
  "a mapped address in 16 bytes": "83 01 50 00000000000000000000ffffc0000207 191cf3",
  "a split into one": `83 03 81 82 00 18ff 81 82 02 81 82 f6 50 ${sixteen}`,
  "a split that goes back":
    `83 03 81 82 00 18ff 81 82 02 82 82 4180 50 ${sixteen} 82 4170 50 ${sixteen}`,
  "a split past the end":
    `83 03 81 82 00 18ff 81 82 02 82 82 f6 50 ${sixteen} 82 4170 50 ${sixteen}`,
  "a list that repeats": `83 03 81 82 00 18ff 81 82 01 82 ${offerHex} ${offerHex}`,
  "an unknown result": "83 03 81 82 00 18ff 81 81 03",
  "an equal with something more": "83 03 81 82 00 18ff 81 82 00 00",
};

Deno.test("a malformed answer is refused", () => {
  for (const [what, text] of Object.entries(refusedAnswers)) {
    assert(decodeAnswer(hex(text)) instanceof DecodeError, what);
  }
});

Deno.test("a record of the greatest length fits a push and a fetch's answer", () => {
  const record = new Uint8Array(1_000);
  assert(encodeRequest({ kind: "push", records: [record] }).length <= requestMessageMax);
  assert(encodeAnswer({ kind: "fetch", records: [record] }).length <= answerMessageMax);
});

Deno.test("long lists are cut into requests that fit a datagram, in order and whole", () => {
  const offers = Array.from({ length: 100 }, (_, i) => {
    const longKey = decodeRecordKey(
      hex(`${i % 2 ? "80" : "00"} ${authorHex} ${i % 2 ? "ab".repeat(32) : ""}`),
    );
    assert(!(longKey instanceof DecodeError));
    return { key: longKey, serial: 2 ** 53 - 1 - i, hashPrefix: counted(0, 16) };
  });
  assertEquals(offers.map(offerSize), offers.map((each) => encodeCbor(offerToCbor(each)).length));
  const cut = offerRequests(offers);
  assertEquals(cut.flatMap((request) => request.offers), offers);
  for (const request of cut) assert(encodeRequest(request).length <= requestMessageMax);
  const pushes = pushRequests(Array.from({ length: 9 }, (_, i) => new Uint8Array(i * 125)));
  assertEquals(pushes.flatMap((request) => request.records).length, 9);
  for (const request of pushes) assert(encodeRequest(request).length <= requestMessageMax);
  const fetches = fetchRequests(offers.map((each) => each.key), 8);
  assertEquals(fetches.length, 13);
  for (const request of fetches) assert(encodeRequest(request).length <= requestMessageMax);
});
