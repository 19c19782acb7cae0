import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { fromHex, utf8 } from "../base/bytes.ts";
import { equalBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { sha256 } from "../crypto/mod.ts";
import { encodeCbor } from "../wire/cbor.ts";
import { encodeCoseSign1, encodeProtectedHeader, encodeSigStructure } from "../wire/cose_sign1.ts";
import { encodeInfo } from "../wire/info.ts";
import { encodeLinks } from "../wire/links.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import {
  type JudgedBefore,
  readInfo,
  readLinks,
  receiveRecord,
  restoreRecord,
  verifyRecord,
} from "./verify_record.ts";

const author = await RecordAuthor.create(1);

function reason(judged: unknown): string {
  assertInstanceOf(judged, DecodeError);
  return judged.reason;
}

Deno.test("a signed record says what its author signed", async () => {
  const bytes = await author.sign({ kind: 0, serial: 5, signedAt: 9 });
  const record = await verifyRecord(bytes);
  assert(!(record instanceof DecodeError));
  assertEquals(record.bytes, bytes);
  assertEquals(record.hash, await sha256(bytes));
  assertEquals([record.kind, record.serial, record.signedAt], [0, 5, 9]);
  assertEquals(record.author, author.id);
  assertEquals(record.authorKey, author.publicKey);
  assertEquals(record.subject, new Uint8Array(0));
  assertEquals(record.body, encodeInfo(plainInfo("test")));
  assertEquals(readInfo(record), plainInfo("test"));
  assertInstanceOf(readLinks(record), DecodeError);
});

Deno.test("every flipped bit of a record is noticed", async () => {
  const bytes = await author.sign({ kind: 5, body: "x" });
  const mutants = [...bytes.keys()].flatMap((at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => {
      const mutant = bytes.slice();
      mutant[at] = (mutant[at] ?? 0) ^ (1 << bit);
      return mutant;
    })
  );
  const judged = await Promise.all(mutants.map(verifyRecord));
  assertEquals(judged.filter((outcome) => !(outcome instanceof DecodeError)), []);
});

Deno.test("a signature under another purpose or by another key is refused", async () => {
  const bytes = await author.sign({ kind: 5, body: "x" });
  const key = author.publicKey;
  const payload = encodeCbor([5, new Uint8Array(0), 1, 1, "x"]);
  const structure = encodeSigStructure(encodeProtectedHeader(key), utf8("mesh v1 other"), payload);
  const signature = await author.signCose(structure);
  assertEquals(
    reason(await verifyRecord(encodeCoseSign1({ key, payload, signature }))),
    "record signature",
  );
  const other = bytes.slice();
  other.set((await RecordAuthor.create(2)).publicKey, 10);
  assertEquals(reason(await verifyRecord(other)), "record signature");
});

Deno.test("a small-order key, under which one signature fits all, is refused before its signature", async () => {
  const key = new Uint8Array(32);
  key[0] = 1;
  // R = the neutral element, s = 0: the platform takes this for any message under this key.
  const signature = new Uint8Array(64);
  signature[0] = 1;
  const payload = encodeCbor([5, new Uint8Array(0), 1, 1, "x"]);
  const forged = encodeCoseSign1({ key, payload, signature });
  assertEquals(reason(await verifyRecord(forged)), "public key of small order");
  const p = fromHex("ed" + "ff".repeat(30) + "7f");
  assert(p !== undefined);
  assertEquals(
    reason(await verifyRecord(encodeCoseSign1({ key: p, payload, signature }))),
    "public key not canonical",
  );
});

Deno.test("a well-signed record of a bad payload or body is refused", async () => {
  const hostile = encodeInfo({ ...plainInfo("x"), name: "\u001b[2J" });
  assertEquals(reason(await verifyRecord(await author.sign({ body: hostile }))), "info name");
  assertEquals(
    reason(await verifyRecord(await author.sign({ kind: 1, body: new Map() }))),
    "links boot nonce",
  );
  assertEquals(
    reason(await verifyRecord(await author.sign({ kind: 3, subject: Uint8Array.of(1), body: 0 }))),
    "record subject",
  );
  assertEquals(
    reason(await verifyRecord(await author.sign({ kind: 3, body: "x".repeat(900) }))),
    "record too big",
  );
});

Deno.test("kinds and body keys from later versions are carried unread", async () => {
  assert(
    !(await verifyRecord(await author.sign({ kind: 99, body: ["?", 1] })) instanceof DecodeError),
  );
  const body = encodeInfo(plainInfo("x"));
  assert(body instanceof Map);
  const later = await author.record({ body: new Map([...body, [77, "new"]]) });
  assertEquals(readInfo(later), plainInfo("x"));
  assert(later.body instanceof Map && later.body.get(77) === "new");
});

Deno.test("links are read", async () => {
  const body = { bootNonce: new Uint8Array(16), links: [], lost: [] };
  assertEquals(readLinks(await author.record({ kind: 1, body: encodeLinks(body) })), body);
});

Deno.test("bytes already known are not verified again", async () => {
  const bytes = await author.sign({ serial: 2 });
  const bad = bytes.slice();
  bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
  const badHash = await sha256(bad);
  const held = await author.record({ serial: 2 });
  const judged: JudgedBefore = {
    wasRefused: (hash) => equalBytes(hash, badHash),
    held: (key, bytes) => key === held.key && equalBytes(bytes, held.bytes) ? held : undefined,
    admits: () => true,
  };
  assertEquals(await receiveRecord(bad, judged), "refused before");
  assert(await receiveRecord(bytes, judged) === held);
  // Not the very same bytes: what is held under the key says nothing about them.
  const other = await receiveRecord(await author.sign({ serial: 3 }), judged);
  assert(!(other instanceof DecodeError) && typeof other !== "string" && other.serial === 3);
  const forged = bytes.slice();
  forged[100] = (forged[100] ?? 0) ^ 1;
  assertEquals(reason(await receiveRecord(forged, judged)), "record signature");
});

Deno.test("what nobody admits is not judged, and what is held is not asked about", async () => {
  const held = await author.record({ serial: 2 });
  const asked: string[] = [];
  const judged: JudgedBefore = {
    wasRefused: () => false,
    held: (_, bytes) => equalBytes(bytes, held.bytes) ? held : undefined,
    admits: (key) => {
      asked.push(key);
      return false;
    },
  };
  assert(await receiveRecord(held.bytes, judged) === held);
  assertEquals(asked, []);
  const forged = (await author.sign({ serial: 3 })).slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  assertEquals(await receiveRecord(forged, judged), "not admitted");
  assertEquals(asked, [held.key]);
  // What claims no key is nobody's to admit, and counted as what it is.
  assertEquals(reason(await receiveRecord(new Uint8Array(10), judged)), "record too short");
});

Deno.test("a record from the own disk is taken with the author and hash written beside it", async () => {
  for (
    const options of [{ serial: 3 }, { kind: 200, subject: new Uint8Array(32), serial: 2 ** 52 }]
  ) {
    const record = await author.record(options);
    const restored = restoreRecord(record);
    assert(!(restored instanceof DecodeError));
    assertEquals(restored, record);
    assertEquals([restored.body, restored.subject], [record.body, record.subject]);
  }
  const { author: id, hash, bytes } = await author.record({});
  assertInstanceOf(restoreRecord({ author: id, hash, bytes: bytes.slice(1) }), DecodeError);
});
