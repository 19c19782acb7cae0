/**
 * Ways to answer that no honest node has: conducts for a `Rogue` that passes every authentication.
 *
 * @module
 */
import { type Bytes, concatBytes, fromHex } from "../../src/base/bytes.ts";
import type { Prng } from "../../src/base/prng.ts";
import { type KeyBound, keyBound, type KeyRange } from "../../src/wire/key_range.ts";
import type { CompareRequest, CompareResult, RequestMessage } from "../../src/wire/message.ts";
import type { Machine } from "./world.ts";
import type { Conduct } from "./rogue.ts";

/** What a liar draws upon. */
export interface LieOptions {
  readonly prng: Prng;
  /** Whose records it speaks of. */
  readonly victim: Machine;
  /** A genuine record of its own. */
  readonly record: Bytes;
}

const boundBytesMax = 60;
const fingerprintLength = 16;

function noise(prng: Prng, length: number): Bytes {
  return new Uint8Array(length).map(() => prng.below(256));
}

/** A bound above `low` and hardly above it. */
function boundAbove(low: KeyBound, byte: number): KeyBound | undefined {
  const bytes = low === "" ? new Uint8Array(0) : fromHex(low);
  if (bytes === undefined || bytes.length >= boundBytesMax) return undefined;
  return keyBound(concatBytes(bytes, Uint8Array.of(byte)));
}

/** The range in so many parts, none of which agrees with anybody. */
function fakeSplit(range: KeyRange, parts: number, prng: Prng): CompareResult {
  const bounds: (KeyBound | undefined)[] = [];
  for (let i = 1; i < parts; i++) {
    const bound = boundAbove(range.low, i);
    if (bound !== undefined && (range.high === undefined || bound < range.high)) bounds.push(bound);
  }
  if (bounds.length === 0) return { kind: "list", offers: [] };
  bounds.push(range.high);
  return {
    kind: "split",
    parts: bounds.map((high) => ({ high, fingerprint: noise(prng, fingerprintLength) })),
  };
}

type Compare = (request: CompareRequest, options: LieOptions) => readonly CompareResult[];

/** Answers to comparisons, by what is wrong with them. */
export const compareLies = {
  "wrong fingerprints": ({ ranges }, { prng }) =>
    ranges.slice(0, 4).map((range) => fakeSplit(range, 2, prng)),
  "endless ranges": ({ ranges }, { prng }) =>
    ranges.slice(0, 1).map((range) => fakeSplit(range, 12, prng)),
  "overlapping ranges": ({ ranges }, { prng }) =>
    ranges.slice(0, 1).map(({ low }) => {
      const beyond = [1, 2].flatMap((byte) => boundAbove(low, byte) ?? []);
      return {
        kind: "split",
        // The parts do not end where the range ends.
        parts: beyond.map((high) => ({ high, fingerprint: noise(prng, fingerprintLength) })),
      };
    }),
  "records that are not there": ({ ranges }, { victim, prng }) => {
    const [record] = victim.isRunning ? victim.node.archive.store.byAuthor(victim.id) : [];
    if (record === undefined) return [];
    const offer = {
      key: record.key,
      serial: record.serial + 1 + prng.below(1_000),
      hashPrefix: noise(prng, fingerprintLength),
    };
    return ranges.slice(0, 1).map(() => ({ kind: "list", offers: [offer] }));
  },
  "always different": ({ ranges }) => ranges.map(() => ({ kind: "list", offers: [] })),
  "more answers than questions": ({ ranges }) =>
    [...ranges, ...ranges].map(() => ({ kind: "equal" })),
  "no answer at all": () => [],
} satisfies Record<string, Compare>;

/** The name of a way to lie. */
export type CompareLie = keyof typeof compareLies;

/** Takes everything, confirms everything, says nothing: what a rogue does besides its lies. */
export function civil(request: RequestMessage, from: Parameters<Conduct>[1]) {
  switch (request.kind) {
    case "ping":
      return { kind: "ping", seenIp: from.address.ip, seenPort: from.address.port } as const;
    case "push":
      return { kind: "push", accepted: request.records.length } as const;
    case "offer":
      return { kind: "offer" } as const;
    case "letGo":
      return { kind: "letGo" } as const;
    default:
      return undefined;
  }
}

/** Answers probes with another digest every time, and comparisons with that lie. */
export function liar(lie: CompareLie, options: LieOptions): Conduct {
  const results: Compare = compareLies[lie];
  return (request, from) => {
    if (request.kind === "probe") {
      return { ...request, digest: noise(options.prng, fingerprintLength) };
    }
    if (request.kind === "compare") {
      const answer = { kind: "compare", kinds: request.kinds, held: request.held } as const;
      return { ...answer, results: results(request, options) };
    }
    // Something genuine, but not what was asked for.
    if (request.kind === "fetch") return { kind: "fetch", records: [options.record] };
    return civil(request, from);
  };
}

/** Agrees with everybody at every probe, takes what it is given, and passes nothing on. */
export const sink: Conduct = (request, from) => {
  if (request.kind === "probe") return request;
  if (request.kind === "fetch") return { kind: "fetch", records: [] };
  return civil(request, from);
};
