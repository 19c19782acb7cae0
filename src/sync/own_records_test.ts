import { assert, assertEquals } from "@std/assert";
import { DecodeError } from "../base/decode.ts";
import { days, elapsed, instant, later, wallTime } from "../base/instant.ts";
import { parseIp } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import type { Endpoint, InfoBody } from "../wire/info.ts";
import {
  capabilitiesMax,
  endpointsKeptMin,
  labelsMax,
  linksMax,
  lostMax,
  recordBytesMax,
} from "../wire/limits.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { fitInfo } from "./fit_info.ts";
import { refreshInterval } from "./limits.ts";
import { OwnRecords, type OwnRecordsOptions, signingTime } from "./own_records.ts";
import { readInfo, readLinks, type VerifiedRecord } from "./verify_record.ts";

const self = await RecordAuthor.create(1);
const wall = wallTime(1_700_000_000_000);
const now = instant(0);

function newOwn(options: Partial<OwnRecordsOptions> = {}): OwnRecords {
  return new OwnRecords({
    signer: self,
    keep: () => Promise.resolve(),
    ownSerial: 0,
    prng: new Prng([1]),
    ...options,
  });
}

async function published(own: OwnRecords, at = wall): Promise<VerifiedRecord> {
  const outcome = await own.publishInfo(plainInfo("x"), at, now);
  assert(outcome.kind === "published", outcome.kind);
  return outcome.record;
}

Deno.test("a serial is the time, or one more than the last, whichever is higher", async () => {
  const own = newOwn();
  assertEquals((await published(own)).serial, wall);
  assertEquals((await published(own)).serial, wall + 1);
  assertEquals((await published(own, wallTime(5))).serial, wall + 2);
  assertEquals((await published(own, wallTime(wall + 1_000))).serial, wall + 1_000);
  const next = newOwn({ ownSerial: wall + 5_000 });
  const record = await published(next);
  assertEquals([record.serial, record.signedAt], [wall + 5_001, wall]);
});

Deno.test("a restored backup jumps above what it once signed, once", async () => {
  const own = newOwn();
  await published(own);
  assert(own.jumpAbove(wall + 9_000_000));
  assert(!own.jumpAbove(wall + 9_000_000));
  assert(!own.jumpAbove(5));
  assertEquals((await published(own)).serial, wall + 9_000_001);
});

Deno.test("at the end of the serials nothing is published any more, and nothing breaks", async () => {
  const own = newOwn();
  own.jumpAbove(Number.MAX_SAFE_INTEGER - 1);
  assertEquals((await published(own)).serial, Number.MAX_SAFE_INTEGER);
  assertEquals((await own.publishInfo(plainInfo("x"), wall, now)).kind, "serials exhausted");
  const mad = newOwn();
  const record = await published(mad, wallTime(Number.MAX_SAFE_INTEGER));
  assertEquals(record.serial, Number.MAX_SAFE_INTEGER - 1);
});

Deno.test("nobody sees a record before it is on the disk", async () => {
  let finish: (() => void) | undefined;
  const kept: VerifiedRecord[] = [];
  const reached = Promise.withResolvers<void>();
  const own = newOwn({
    keep: (record) => {
      kept.push(record);
      reached.resolve();
      return new Promise<void>((resolve) => finish = resolve);
    },
  });
  let isOut = false;
  const outcome = own.publishInfo(plainInfo("x"), wall, now).then((result) => {
    isOut = true;
    return result;
  });
  await reached.promise;
  // Whatever could follow without the disk has had its turn.
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  assert(!isOut);
  finish?.();
  const result = await outcome;
  assert(result.kind === "published" && result.record === kept[0]);
});

Deno.test("a serial whose write failed is never used again", async () => {
  let isFull = true;
  const seen: number[] = [];
  const own = newOwn({
    keep: (record) => {
      seen.push(record.serial);
      return isFull ? Promise.reject(new Error("full")) : Promise.resolve();
    },
  });
  const failed = await own.publishInfo(plainInfo("x"), wall, now);
  assert(failed.kind === "not kept" && failed.cause instanceof Error);
  isFull = false;
  await published(own);
  assertEquals(seen, [wall, wall + 1]);
});

Deno.test("records published at once have different serials", async () => {
  const own = newOwn();
  const serials = await Promise.all([1, 2, 3, 4].map(() => published(own).then((r) => r.serial)));
  assertEquals(new Set(serials).size, 4);
});

Deno.test("a body that others would refuse is not published", async () => {
  const own = newOwn();
  const outcome = await own.publishInfo({ ...plainInfo("x"), name: "a\nb" }, wall, now);
  assert(outcome.kind === "refused" && outcome.reason === "info name");
  assertEquals((await own.publish(128, 1, wall, now)).kind, "refused");
  assertEquals((await own.publish(5, "x".repeat(1_000), wall, now)).kind, "refused");
});

const scopesOf = (endpoints: readonly Endpoint[]) => endpoints.map(({ scope }) => scope);

function endpoint(text: string, scope: Endpoint["scope"]): Endpoint {
  const ip = parseIp(text);
  assert(ip !== undefined);
  return { ip, port: 65_535, scope };
}

/** Everything at its limit, `extra` of what may be dropped. */
function largestInfo(endpoints: number, labels: number): InfoBody {
  const long = "1234:5678:9abc:def0:1234:5678:9abc:";
  return {
    name: "n".repeat(64),
    endpoints: Array.from({ length: endpoints }, (_, i) => endpoint(`${long}${i}`, "global")),
    observed: Array.from({ length: 4 }, (_, i) => endpoint(`${long}f${i}`, "global")),
    capabilities: Array.from({ length: capabilitiesMax }, (_, i) => 65_535 - capabilitiesMax + i),
    software: { version: "v".repeat(32), seq: Number.MAX_SAFE_INTEGER, target: "t".repeat(48) },
    bootNonce: new Uint8Array(16).fill(255),
    labels: new Map(
      Array.from({ length: labels }, (_, i) => [`${i}`.padStart(64, "k"), "v".repeat(64)]),
    ),
    update: { seq: Number.MAX_SAFE_INTEGER, state: "s".repeat(32), reason: "r".repeat(128) },
    platform: { os: "o".repeat(32), arch: "a".repeat(32) },
  };
}

Deno.test("the largest info without endpoints and labels to spare fits a record", async () => {
  const outcome = await newOwn().publishInfo(
    largestInfo(endpointsKeptMin, 0),
    wallTime(Number.MAX_SAFE_INTEGER),
    now,
  );
  assert(outcome.kind === "published");
  assert(outcome.record.bytes.length <= recordBytesMax, `${outcome.record.bytes.length}`);
  assertEquals([outcome.droppedEndpoints, outcome.droppedLabels], [0, 0]);
});

Deno.test("the largest info there is loses endpoints, then labels, and is published", async () => {
  const whole = largestInfo(12, labelsMax);
  const outcome = await newOwn().publishInfo(whole, wall, now);
  assert(outcome.kind === "published");
  assert(outcome.record.bytes.length <= recordBytesMax);
  const info = readInfo(outcome.record);
  assert(!(info instanceof DecodeError));
  assertEquals(info.endpoints, whole.endpoints.slice(0, endpointsKeptMin));
  assertEquals(info.observed, whole.observed);
  assertEquals(outcome.droppedEndpoints, 12 - endpointsKeptMin);
  assertEquals(outcome.droppedLabels, labelsMax - info.labels.size);
  assertEquals([...info.labels.keys()], [...whole.labels.keys()].sort().slice(0, info.labels.size));
});

Deno.test("endpoints go in the stated order: loopback, link-local, private, global, the last first", () => {
  const endpoints = [
    endpoint("203.0.113.1", "global"),
    endpoint("127.0.0.1", "loopback"),
    endpoint("10.0.0.1", "private"),
    endpoint("10.0.0.2", "private"),
    endpoint("fe80::1", "link-local"),
    endpoint("fe80::2", "link-local"),
  ];
  const filler = Array.from({ length: 9 }, (_, i) => endpoint(`192.0.2.${i}`, "global"));
  const fitted = fitInfo({ ...plainInfo("x"), endpoints: [...endpoints, ...filler] });
  assertEquals(fitted.info.endpoints, [
    ...endpoints.slice(0, 1),
    ...endpoints.slice(2, 4),
    ...filler,
  ]);
  const tight = fitInfo({ ...largestInfo(0, 16), endpoints: endpoints });
  assertEquals(scopesOf(tight.info.endpoints), ["global", "private", "private", "link-local"]);
  assertEquals(tight.info.endpoints.at(-1)?.ip, "fe80::1");
});

Deno.test("what fits is left as it is", () => {
  const info = { ...plainInfo("x"), labels: new Map([["a", "1"], ["b", "2"]]) };
  assertEquals(fitInfo(info), { info, droppedEndpoints: 0, droppedLabels: 0 });
});

Deno.test("the largest links fit a record, and more are cut", async () => {
  const peers = Array.from({ length: 40 }, (_, i) => i.toString(16).padStart(32, "f"));
  const body = {
    bootNonce: new Uint8Array(16).fill(255),
    links: peers.map((peer) => ({ peer, costExponent: 15 })),
    lost: peers.slice(0, 9),
  };
  const outcome = await newOwn().publishLinks(body, wallTime(Number.MAX_SAFE_INTEGER), now);
  assert(outcome.kind === "published");
  assert(outcome.record.bytes.length <= recordBytesMax, `${outcome.record.bytes.length}`);
  const read = readLinks(outcome.record);
  assert(!(read instanceof DecodeError));
  assertEquals([read.links.length, read.lost.length], [linksMax, lostMax]);
});

Deno.test("every record is refreshed within 25 days of its signing, not all at once", async () => {
  const delays = new Set<number>();
  for (let seed = 0; seed < 50; seed++) {
    const own = newOwn({ prng: new Prng([seed]) });
    assertEquals(own.nextTimeout(), undefined);
    await published(own);
    const at = own.nextTimeout();
    assert(at !== undefined);
    const delay = elapsed(now, at);
    assert(delay <= refreshInterval && delay >= refreshInterval * 0.8);
    delays.add(delay);
    assertEquals(own.handleTimeout(later(at, days(-1))), []);
    assertEquals(own.handleTimeout(at), [{ kind: "refresh", recordKind: 0 }]);
    assertEquals(own.handleTimeout(at), []);
  }
  assert(delays.size > 40);
});

Deno.test("the neighbours' time is signed with only while the own clock is before the build", () => {
  const builtAt = wallTime(1_000);
  assertEquals(signingTime(wallTime(2_000), builtAt, () => wallTime(9_000)), wallTime(2_000));
  assertEquals(signingTime(wallTime(5), builtAt, () => wallTime(9_000)), wallTime(9_000));
  assertEquals(signingTime(wallTime(5), builtAt, () => undefined), wallTime(5));
});
