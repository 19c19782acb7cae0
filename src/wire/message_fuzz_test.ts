import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { type CborValue, encodeCbor } from "./cbor.ts";
import { allKinds, lowestBound } from "./key_range.ts";
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from "./message.ts";

const runs = 100_000;

/** Something that looks like a message: right numbers, wrong and right parts. */
function anyValue(prng: Prng, depth: number): CborValue {
  switch (prng.below(depth > 3 ? 4 : 7)) {
    case 0:
      return prng.below(2) === 0 ? prng.below(12) : prng.below(2 ** 31);
    case 1:
      return null;
    case 2:
      return anyBytes(prng, prng.pick([0, 1, 4, 16, 32, 33, 65, 66]) ?? 0);
    case 3:
      return "text";
    default:
      return Array.from({ length: prng.below(4) }, () => anyValue(prng, depth + 1));
  }
}

function anyBytes(prng: Prng, length: number): Bytes {
  return Uint8Array.from({ length }, () => prng.below(256));
}

const seedMessages = [
  encodeRequest({
    kind: "compare",
    kinds: allKinds,
    ranges: [{ low: lowestBound, high: undefined, fingerprint: new Uint8Array(16) }],
    held: 3,
  }),
  encodeRequest({ kind: "leaving", bootNonce: new Uint8Array(16) }),
  encodeAnswer({
    kind: "compare",
    kinds: allKinds,
    results: [{ kind: "equal" }, { kind: "list", offers: [] }],
    held: 1_000,
  }),
  encodeAnswer({ kind: "push", accepted: 3 }),
  encodeRequest({
    kind: "relay",
    to: new Uint8Array(16),
    replyTag: new Uint8Array(8),
    datagram: new Uint8Array(128),
  }),
  encodeAnswer({ kind: "relay", datagram: new Uint8Array(65) }),
];

function mutated(prng: Prng): Bytes {
  const bytes = concatBytes(prng.pick(seedMessages) ?? new Uint8Array(0));
  for (let i = prng.below(3); i >= 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
  return prng.below(4) === 0 ? bytes.slice(0, prng.below(bytes.length)) : bytes;
}

Deno.test("100,000 hostile messages decode to a message of one form or to a reason", () => {
  const seed = [0x6d657373, 1, 2, 3];
  const prng = new Prng(seed);
  let understood = 0;
  for (let run = 0; run < runs; run++) {
    const way = prng.below(3);
    const bytes = way === 0
      ? anyBytes(prng, prng.below(80))
      : way === 1
      ? mutated(prng)
      : encodeCbor([prng.below(11), anyValue(prng, 0), anyValue(prng, 0)].slice(0, 1 + run % 3));
    const where = `run ${run} of seed ${seed}: ${toHex(bytes)}`;
    try {
      const request = decodeRequest(bytes);
      if (!(request instanceof DecodeError)) {
        understood++;
        assertEquals(toHex(encodeRequest(request)), toHex(bytes));
      }
      const answer = decodeAnswer(bytes);
      if (!(answer instanceof DecodeError)) {
        understood++;
        assertEquals(toHex(encodeAnswer(answer)), toHex(bytes));
      }
    } catch (cause) {
      throw new Error(where, { cause });
    }
  }
  assert(understood > 1_000, `only ${understood} inputs were messages: the fuzzer is blind`);
});
