/** Examples of PROTOCOL §6 to §8: every message, both records, fingerprints. @module */
import { type Bytes, encodeUint } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { invariant } from "../../src/base/invariant.ts";
import { administratorFingerprint, selfFingerprint } from "../../src/crypto/mod.ts";
import {
  answerCompare,
  digestOf,
  type RecordEntry,
  type RecordRanges,
  RecordTree,
  type VerifiedRecord,
} from "../../src/sync/mod.ts";
import { drawLots, linkEnd, linkTurn } from "../../src/sync/link_turn.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import {
  decodeBulkPage,
  decodeBulkRequest,
  encodeBulkPage,
  encodeBulkRequest,
} from "../../src/wire/bulk.ts";
import { bulkPageBytesMax } from "../../src/wire/limits.ts";
import { allKinds, keyBound, wholeRange } from "../../src/wire/key_range.ts";
import { encodeLinks } from "../../src/wire/links.ts";
import {
  type AnswerMessage,
  type CompareRequest,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  noticeCodes,
  type RequestMessage,
} from "../../src/wire/message.ts";
import { offerOf } from "../../src/wire/offer.ts";
import { nodeIdPrefix } from "../../src/wire/node_id.ts";
import { encodeRecordKey, infoKind, linksKind } from "../../src/wire/record_key.ts";
import { type Cast, filled, ipOf, payloadOf } from "./cast.ts";
import { annotated, fields, footer, message } from "./hex.ts";

function rangesOf(records: readonly VerifiedRecord[]): RecordRanges {
  const sorted = [...records].sort((a, b) => a.key < b.key ? -1 : 1);
  const tree = RecordTree.of<RecordEntry>({ key: [0, 0] }, sorted);
  return { tree, size: tree.size, get: (key) => tree.get(key) };
}

async function request(value: RequestMessage): Promise<string> {
  const bytes = encodeRequest(value);
  invariant(!(decodeRequest(bytes) instanceof DecodeError), "the example decodes");
  return await annotated(bytes);
}

async function answer(value: AnswerMessage): Promise<string> {
  const bytes = encodeAnswer(value);
  invariant(!(decodeAnswer(bytes) instanceof DecodeError), "the example decodes");
  return await annotated(bytes);
}

async function bulkRequest(): Promise<string> {
  const ranges = [wholeRange];
  const bytes = encodeBulkRequest({
    kinds: allKinds,
    ranges,
    after: undefined,
    bytesMax: bulkPageBytesMax,
  });
  invariant(!(decodeBulkRequest(bytes) instanceof DecodeError), "the example decodes");
  return await annotated(bytes);
}

async function bulkPage(record: Bytes): Promise<string> {
  const bytes = encodeBulkPage({ state: "end", records: [record] });
  invariant(!(decodeBulkPage(bytes, bulkPageBytesMax) instanceof DecodeError), "it decodes");
  return await annotated(bytes);
}

async function record({ bytes, hash }: VerifiedRecord, payload: Bytes): Promise<string> {
  const payloadAt = 49 + (payload.length < 24 ? 1 : payload.length < 256 ? 2 : 3);
  const payloadEnd = payloadAt + payload.length;
  return fields([
    ["tag, array", bytes.subarray(0, 2)],
    ["protected header", bytes.subarray(2, 48)],
    ["unprotected header", bytes.subarray(48, 49)],
    ["payload, head", bytes.subarray(49, payloadAt)],
    ["payload", "as above"],
    ["signature", bytes.subarray(payloadEnd)],
    ["record hash", hash],
  ]) + await footer(bytes, false);
}

/** By name in the document. */
export async function messageExamples(
  cast: Cast,
  exchangeHash: Bytes,
): Promise<Record<string, string>> {
  const { ann, bob, annLinks } = cast;
  const annsStore = rangesOf([ann.info, annLinks]);
  const bobsStore = rangesOf([ann.info, bob.info]);
  const digest = await digestOf(annsStore);
  const compare: CompareRequest = {
    kind: "compare",
    kinds: allKinds,
    ranges: [{ ...wholeRange, fingerprint: digest }],
    held: annsStore.size,
  };
  const offers = [offerOf(ann.info)];
  const split: AnswerMessage = {
    kind: "compare",
    kinds: allKinds,
    results: [
      { kind: "equal" },
      {
        kind: "split",
        parts: [
          { high: keyBound(Uint8Array.of(0x00, 0x80)), fingerprint: filled(0xf1, 16) },
          { high: undefined, fingerprint: filled(0xf2, 16) },
        ],
      },
    ],
    held: 3_000,
  };
  const sum = ann.info.hash;
  const end = linkEnd(ann.identity.id, cast.bob.identity.id);
  const lots = drawLots(end, ann.info.hash);
  const spoken = { first: "at once", second: "after 250 ms", quiet: "not at all" };
  const payloads = {
    info: payloadOf(infoKind, encodeInfo(ann.infoBody)),
    links: payloadOf(linksKind, encodeLinks(cast.annLinksBody)),
  };
  return {
    "notice": await answer({ kind: "notice", code: noticeCodes.myTimeIs, value: 2_000_000 }),
    "ping-request": await request({ kind: "ping" }),
    "ping-answer": await answer({ kind: "ping", seenIp: ipOf("192.168.1.1"), seenPort: 7411 }),
    "probe": await request({ kind: "probe", kinds: allKinds, digest }),
    "compare-request": await request(compare),
    "compare-list": await answer(await answerCompare(bobsStore, compare)),
    "compare-split": await answer(split),
    "bulk-request": await bulkRequest(),
    "bulk-page": await bulkPage(ann.info.bytes),
    "fetch-request": await request({ kind: "fetch", keys: [ann.info.key] }),
    "fetch-answer": await answer({ kind: "fetch", records: [ann.info.bytes] }),
    "offer-request": await request({ kind: "offer", offers }),
    "offer-answer": await answer({ kind: "offer" }),
    "push-request": await request({ kind: "push", records: [ann.info.bytes] }),
    "push-answer": await answer({ kind: "push", accepted: 1 }),
    "leaving-request": await request({ kind: "leaving", bootNonce: ann.bootNonce }),
    "leaving-answer": await answer({ kind: "leaving" }),
    "restarting-request": await request({ kind: "restarting", bootNonce: ann.bootNonce }),
    "restarting-answer": await answer({ kind: "restarting" }),
    "let-go-request": await request({ kind: "letGo", exchangeHash }),
    "let-go-answer": await answer({ kind: "letGo" }),
    "relay-request": await request({
      kind: "relay",
      to: nodeIdPrefix(bob.identity.id),
      replyTag: filled(0x77, 8),
      datagram: filled(0xdd, 128),
    }),
    "relay-answer": await answer({ kind: "relay", datagram: filled(0xee, 65) }),
    "info-payload": await annotated(payloads.info),
    "info-record": await record(ann.info, payloads.info),
    "links-payload": await annotated(payloads.links),
    "links-record": await record(annLinks, payloads.links),
    "record-key": await message(
      [
        ["kind", encodeRecordKey(ann.info.key).subarray(0, 1)],
        ["author", encodeRecordKey(ann.info.key).subarray(1)],
      ],
      encodeRecordKey(ann.info.key),
    ),
    "link-turn": fields([
      ["seed", encodeUint(end.seed, 4)],
      ["part", encodeUint(lots.part, 4)],
      ["order", encodeUint(lots.order, 4)],
      ["with n = 12", `Ann speaks ${spoken[linkTurn(end, ann.info.hash, 12)]}`],
    ]),
    "fingerprints": fields([
      ["one self record", await selfFingerprint(1, sum)],
      ["nothing, self kinds", await selfFingerprint(0, filled(0, 32))],
      ["nothing, adm. kinds", await administratorFingerprint(0, [])],
      ["nothing, both", await digestOf(rangesOf([]))],
      ["digest of both records", digest],
    ]),
  };
}
