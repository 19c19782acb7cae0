import { assert } from "@std/assert";
import type { Bytes } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { parseIp } from "../../src/base/ip.ts";
import { escapeForTerminal } from "../../src/base/text.ts";
import { Prng } from "../../src/base/prng.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.ts";
import { decodeCoseSign1 } from "../../src/wire/cose_sign1.ts";
import { decodeInfo, encodeInfo } from "../../src/wire/info.ts";
import { decodeLinks, encodeLinks } from "../../src/wire/links.ts";
import { offerFromCbor, offerToCbor } from "../../src/wire/offer.ts";
import { decodeRecordPayload } from "../../src/wire/record.ts";
import { encodeLogEntry, encodeLogHeader, readLog } from "../../src/sync/log_format.ts";
import { verifyRecord } from "../../src/sync/verify_record.ts";
import { plainInfo, RecordAuthor } from "../sim/record_author.ts";

const cases = 100_000;
const author = await RecordAuthor.create(1);
const ip = parseIp("fe80::1");
assert(ip !== undefined);

const info = encodeInfo({
  ...plainInfo("fuzz"),
  endpoints: [{ ip, port: 1, scope: "link-local" }],
  capabilities: [1, 2, 3],
  labels: new Map([["a", "b"]]),
  update: { seq: 1, state: "held", reason: "because" },
});
const links = encodeLinks({
  bootNonce: new Uint8Array(16),
  links: [{ peer: "0".repeat(32), costExponent: 1 }, { peer: "1".repeat(32), costExponent: 2 }],
  lost: ["2".repeat(32)],
});
const record = await author.record({ body: info });

/** Noise, or a good message with bytes changed, cut, put in, or repeated. */
function mutate(prng: Prng, good: Bytes): Bytes {
  if (prng.below(8) === 0) {
    return Uint8Array.from({ length: prng.below(120) }, () => prng.below(256));
  }
  const bytes = [...good];
  for (let changes = 1 + prng.below(4); changes > 0; changes--) {
    const at = prng.below(bytes.length + 1);
    switch (prng.below(5)) {
      case 0:
        bytes.splice(at, prng.below(8));
        break;
      case 1:
        bytes.splice(at, 0, ...Array.from({ length: prng.below(8) }, () => prng.below(256)));
        break;
      case 2:
        bytes.splice(at, 0, ...bytes.slice(at, at + prng.below(32)));
        break;
      default:
        bytes[at] = prng.below(256);
    }
  }
  return Uint8Array.from(bytes, (byte) => byte ?? 0);
}

/** Anything CBOR, often with the small numbers that our maps have as keys. */
function anyValue(prng: Prng, depth: number): CborValue {
  switch (prng.below(depth > 3 ? 6 : 9)) {
    case 0:
      return prng.below(12);
    case 1:
      return prng.below(2 ** 32) * (prng.below(2) === 0 ? 2 ** 20 : -1);
    case 2:
      return String.fromCharCode(...Array.from({ length: prng.below(5) }, () => prng.below(300)));
    case 3:
      return new Uint8Array(prng.pick([0, 4, 16, 32]) ?? 0);
    case 4:
      return null;
    case 5:
      return prng.below(2) === 0;
    case 6:
      return new Map(
        Array.from({ length: prng.below(10) }, () => [prng.below(10), anyValue(prng, depth + 1)]),
      );
    default:
      return Array.from({ length: prng.below(6) }, () => anyValue(prng, depth + 1));
  }
}

function fuzz(name: string, one: (prng: Prng) => void): void {
  Deno.test(`${name} takes ${cases} strange inputs without throwing`, () => {
    const seed = [2_026, name.length, 7, 1];
    const prng = new Prng(seed);
    for (let n = 0; n < cases; n++) {
      try {
        one(prng);
      } catch (cause) {
        throw new Error(`seed ${seed}, case ${n}`, { cause });
      }
    }
  });
}

function isSame(a: Bytes, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const infoBytes = encodeCbor(info);
const linksBytes = encodeCbor(links);
const offerBytes = encodeCbor(offerToCbor({
  key: record.key,
  serial: 1,
  hashPrefix: record.hash.slice(0, 16),
}));
const payload = decodeCoseSign1(record.bytes);
assert(!(payload instanceof DecodeError));
const payloadBytes = payload.payload;

fuzz("decodeCbor", (prng) => {
  const bytes = mutate(prng, prng.pick([infoBytes, linksBytes, payloadBytes]) ?? infoBytes);
  const value = decodeCbor(bytes);
  if (!(value instanceof DecodeError)) assert(isSame(bytes, encodeCbor(value)), "two forms");
});

fuzz("the record decoders", (prng) => {
  const envelope = decodeCoseSign1(mutate(prng, record.bytes));
  if (!(envelope instanceof DecodeError)) decodeRecordPayload(envelope.payload);
  decodeRecordPayload(mutate(prng, payloadBytes));
});

fuzz("decodeInfo", (prng) => {
  const isValue = prng.below(2) === 0;
  const value = isValue ? anyValue(prng, 0) : decodeCbor(mutate(prng, infoBytes));
  if (value instanceof DecodeError) return;
  const body = decodeInfo(value);
  if (!(body instanceof DecodeError)) assert(escapeForTerminal(body.name) === body.name);
});

fuzz("decodeLinks", (prng) => {
  const isValue = prng.below(2) === 0;
  const value = isValue ? anyValue(prng, 0) : decodeCbor(mutate(prng, linksBytes));
  if (!(value instanceof DecodeError)) decodeLinks(value);
});

fuzz("offerFromCbor", (prng) => {
  const bytes = mutate(prng, offerBytes);
  const value = decodeCbor(bytes);
  const offer = value instanceof DecodeError ? value : offerFromCbor(value);
  if (offer instanceof DecodeError) return;
  assert(isSame(bytes, encodeCbor(offerToCbor(offer))), "two forms");
});

const marker = new Uint8Array(8).fill(3);
const logBytes = Uint8Array.from([
  ...encodeLogHeader(marker),
  ...encodeLogEntry(marker, { kind: "flag", author: author.id }),
  ...encodeLogEntry(marker, { kind: "own serial", serial: 5 }),
  ...encodeLogEntry(marker, { kind: "own serial", serial: 6 }),
]);

fuzz("readLog", (prng) => {
  const { entries } = readLog(mutate(prng, logBytes));
  assert(entries.every(({ kind }) => kind === "flag" || kind === "own serial"), "invented");
});

Deno.test("verifyRecord takes 2000 strange inputs without rejecting, and none of them", async () => {
  const seed = [1, 2, 3, 4];
  const prng = new Prng(seed);
  for (let n = 0; n < 2_000; n++) {
    const bytes = mutate(prng, record.bytes);
    const judged = await verifyRecord(bytes);
    assert(judged instanceof DecodeError || isSame(bytes, record.bytes), `seed ${seed}, case ${n}`);
  }
});
