import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concatBytes, encodeUint, toHex, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { wallTime } from "../base/instant.ts";
import { InvariantError } from "../base/invariant.ts";
import { Prng } from "../base/prng.ts";
import { filled } from "../../tests/fixtures/bytes.ts";
import { type CborValue, encodeCbor } from "./cbor.ts";
import {
  decodeM1,
  decodeM2,
  decodeM3,
  decodeM4,
  decodeOffer,
  decodeOwnIdNotice,
  encodeM1,
  encodeM2,
  encodeM2Head,
  encodeM3,
  encodeM4,
  encodeOffer,
  encodeOwnIdNotice,
  type ExchangeM1,
  type ExchangeM2Head,
  m1BytesLength,
  m1BytesMax,
  m2BytesLength,
  m2BytesMax,
  m3BytesMax,
  m4BytesMax,
  offerBytesFull,
  offerBytesMax,
  sealedBytesMax,
  type SealedOffer,
} from "./exchange.ts";

function run(value: string, length: number): string {
  return value.repeat(length);
}

const m1: ExchangeM1 = {
  versions: [1],
  bindings: [1],
  share: filled(0x11, 32),
  encapsulationKey: filled(0x22, 1_184),
  nonce: filled(0x33, 32),
};
const head: ExchangeM2Head = {
  version: 1,
  binding: 1,
  share: filled(0x44, 32),
  ciphertext: filled(0x55, 1_088),
  nonce: filled(0x66, 32),
};
const m2 = encodeM2(encodeM2Head(head), filled(0x77, 32), filled(0x88, 64));
const m3 = { proof: filled(0x77, 32), signature: filled(0x88, 64), sealed: filled(0x99, 300) };
const m4 = { sealed: filled(0x99, 300) };
const offer: SealedOffer = {
  membership: [filled(0xa1, 3), filled(0xa2, 2)],
  info: filled(0xb1, 4),
  grant: { epoch: filled(0xc1, 8), handle: filled(0xc2, 24), key: filled(0xc3, 32), time: 258 },
  wallTime: wallTime(1_700_000_000_000),
  bootNonce: filled(0xd1, 16),
};
const notice = { bootNonce: filled(0xd1, 16) };

function refused(result: unknown): boolean {
  return result instanceof DecodeError;
}

Deno.test("m1 has its one form", () => {
  const bytes = encodeM1(m1);
  assertEquals(
    toHex(bytes),
    "85" + "8101" + "8101" + "5820" + run("11", 32) + "5904a0" + run("22", 1_184) + "5820" +
      run("33", 32),
  );
  assertEquals(bytes.length, m1BytesLength);
  assertEquals(decodeM1(bytes), m1);
});

Deno.test("m2 has its one form, its head a string of bytes", () => {
  const headBytes = "85" + "01" + "01" + "5820" + run("44", 32) + "590440" + run("55", 1_088) +
    "5820" + run("66", 32);
  assertEquals(toHex(encodeM2Head(head)), headBytes);
  assertEquals(
    toHex(m2),
    "83" + "59048a" + headBytes + "5820" + run("77", 32) + "5840" + run("88", 64),
  );
  assertEquals(m2.length, m2BytesLength);
  assertEquals(decodeM2(m2), {
    ...head,
    head: encodeM2Head(head),
    proof: filled(0x77, 32),
    signature: filled(0x88, 64),
  });
});

Deno.test("m3 and m4 have their one form", () => {
  assertEquals(
    toHex(encodeM3(m3)),
    "83" + "5820" + run("77", 32) + "5840" + run("88", 64) + "59012c" + run("99", 300),
  );
  assertEquals(decodeM3(encodeM3(m3)), m3);
  assertEquals(toHex(encodeM4(m4)), "81" + "59012c" + run("99", 300));
  assertEquals(decodeM4(encodeM4(m4)), m4);
});

Deno.test("offer and notice have their one form", () => {
  assertEquals(
    toHex(encodeOffer(offer)),
    "85" + "82" + "43a1a1a1" + "42a2a2" + "44b1b1b1b1" + "84" + "48" + run("c1", 8) + "5818" +
      run("c2", 24) + "5820" + run("c3", 32) + "190102" + "1b0000018bcfe56800" + "50" +
      run("d1", 16),
  );
  assertEquals(decodeOffer(encodeOffer(offer)), offer);
  assertEquals(
    toHex(encodeOwnIdNotice(notice)),
    "82" + "666f776e206964" + "50" + run("d1", 16),
  );
  assertEquals(decodeOwnIdNotice(encodeOwnIdNotice(notice)), notice);
  assert(refused(decodeOffer(encodeOwnIdNotice(notice))));
  assert(refused(decodeOwnIdNotice(encodeOffer(offer))));
});

Deno.test("a calendar before 1970 or with a fraction is offered as a whole number", () => {
  const offered = (time: number): unknown => {
    const decoded = decodeOffer(encodeOffer({ ...offer, wallTime: wallTime(time) }));
    return decoded instanceof DecodeError ? decoded : decoded.wallTime;
  };
  assertEquals(offered(-5), wallTime(0));
  assertEquals(offered(7.9), wallTime(7));
});

Deno.test("a full offer and the largest messages are as long as their limits say", () => {
  const full: SealedOffer = {
    ...offer,
    membership: [1, 2, 3, 4].map((value) => filled(value, 1_000)),
    info: filled(5, 1_000),
    grant: { ...offer.grant, time: Number.MAX_SAFE_INTEGER },
    wallTime: wallTime(Number.MAX_SAFE_INTEGER),
  };
  const bytes = encodeOffer(full);
  assertEquals(bytes.length, offerBytesFull);
  assert(offerBytesFull < offerBytesMax);
  assertEquals(decodeOffer(bytes), full);
  const sealed = filled(1, sealedBytesMax);
  assertEquals(encodeM3({ ...m3, sealed }).length, m3BytesMax);
  assert(!refused(decodeM3(encodeM3({ ...m3, sealed }))));
  assert(refused(decodeM3(encodeM3({ ...m3, sealed: filled(1, sealedBytesMax + 1) }))));
  assertEquals(encodeM4({ sealed }).length, m4BytesMax);
  assert(!refused(decodeM4(encodeM4({ sealed }))));
  assert(refused(decodeM4(encodeM4({ sealed: filled(1, sealedBytesMax + 1) }))));
  const wide = encodeM2Head({ ...head, version: 255, binding: 255 });
  assertEquals(encodeM2(wide, m3.proof, m3.signature).length, m2BytesMax);
  assert(!refused(decodeM2(encodeM2(wide, m3.proof, m3.signature))));
});

Deno.test("an own offer over the limits is a bug, not a message", () => {
  assertThrows(() => encodeOffer({ ...offer, info: filled(1, 1_001) }), InvariantError);
  assertThrows(() => encodeOffer({ ...offer, info: filled(1, 0) }), InvariantError);
  assertThrows(
    () => encodeOffer({ ...offer, membership: run("x", 5).split("").map(utf8) }),
    InvariantError,
  );
});

const m1Fields: readonly CborValue[] = [[1], [1], m1.share, m1.encapsulationKey, m1.nonce];

Deno.test("m1 may offer unknown versions and end in unknown items, up to its limits", () => {
  const [, ...rest] = m1Fields;
  const offered = decodeM1(encodeCbor([[1, 2, 24, 255], ...rest, 7, "new", [filled(1, 500)]]));
  assert(!(offered instanceof DecodeError));
  assertEquals(offered.versions, [1, 2, 24, 255]);
  const padding = (length: number) => encodeCbor([...m1Fields, filled(0, length)]);
  const room = m1BytesMax - m1BytesLength - 3;
  assert(!refused(decodeM1(padding(room))));
  assert(refused(decodeM1(padding(room + 1))));
  assert(!refused(decodeM1(encodeCbor([...m1Fields, ...Array<number>(11).fill(0)]))));
  assert(refused(decodeM1(encodeCbor([...m1Fields, ...Array<number>(12).fill(0)]))));
});

Deno.test("m1 with a wrong field is refused", () => {
  const wrong: readonly (readonly [number, CborValue])[] = [
    [0, []],
    [0, [256]],
    [0, [-1]],
    [0, [1, 1]],
    [0, [2, 1]],
    [0, ["1"]],
    [0, Array.from({ length: 17 }, (_, index) => index)],
    [0, 1],
    [1, []],
    [1, [2, 1]],
    [2, filled(1, 31)],
    [2, filled(1, 33)],
    [2, run("x", 32)],
    [3, filled(1, 1_183)],
    [3, filled(1, 1_185)],
    [4, filled(1, 31)],
    [4, null],
  ];
  for (const [index, value] of wrong) {
    assert(refused(decodeM1(encodeCbor(m1Fields.with(index, value)))), `${index}: ${value}`);
  }
  assert(refused(decodeM1(encodeCbor(m1Fields.slice(0, 4)))));
  assert(refused(decodeM1(encodeCbor(7))));
});

Deno.test("m2, m3 and m4 with a wrong field, one more or one less are refused", () => {
  const headFields: readonly CborValue[] = [1, 1, head.share, head.ciphertext, head.nonce];
  const m2Fields: readonly CborValue[] = [encodeCbor(headFields), m3.proof, m3.signature];
  const m3Fields: readonly CborValue[] = [m3.proof, m3.signature, m3.sealed];
  assert(!refused(decodeM2(encodeCbor(m2Fields))));
  assert(!refused(decodeM3(encodeCbor(m3Fields))));
  for (
    const fields of [
      m2Fields.slice(0, 2),
      [...m2Fields, 0],
      m2Fields.with(0, headFields),
      m2Fields.with(0, filled(0, 0)),
      m2Fields.with(0, concatBytes(encodeCbor(headFields), encodeUint(0, 1))),
      m2Fields.with(0, encodeCbor([...headFields, 0])),
      m2Fields.with(0, encodeCbor(headFields.with(0, 256))),
      m2Fields.with(0, encodeCbor(headFields.with(1, [1]))),
      m2Fields.with(0, encodeCbor(headFields.with(2, filled(1, 31)))),
      m2Fields.with(0, encodeCbor(headFields.with(3, filled(1, 1_087)))),
      m2Fields.with(0, encodeCbor(headFields.with(4, filled(1, 31)))),
      m2Fields.with(1, filled(1, 31)),
      m2Fields.with(2, filled(1, 63)),
    ]
  ) assert(refused(decodeM2(encodeCbor(fields))), toHex(encodeCbor(fields)).slice(0, 40));
  for (
    const fields of [
      m3Fields.slice(0, 2),
      [...m3Fields, 0],
      m3Fields.with(0, filled(1, 33)),
      m3Fields.with(1, filled(1, 65)),
      m3Fields.with(2, filled(1, 15)),
    ]
  ) assert(refused(decodeM3(encodeCbor(fields))));
  assert(refused(decodeM4(encodeCbor([filled(1, 15)]))));
  assert(refused(decodeM4(encodeCbor([m4.sealed, 0]))));
  assert(refused(decodeM4(encodeCbor([]))));
});

Deno.test("an offer with a wrong field is refused, one with later items is not", () => {
  const { epoch, handle, key, time } = offer.grant;
  const fields: readonly CborValue[] = [
    offer.membership,
    offer.info,
    [epoch, handle, key, time],
    1,
    offer.bootNonce,
  ];
  assert(!refused(decodeOffer(encodeCbor([...fields, "later", 1]))));
  const wrong: readonly (readonly [number, CborValue])[] = [
    [0, [filled(1, 0)]],
    [0, [filled(1, 1_001)]],
    [0, ["text"]],
    [0, Array<CborValue>(5).fill(filled(1, 1))],
    [1, filled(1, 0)],
    [1, filled(1, 1_001)],
    [2, [epoch, handle, key]],
    [2, [epoch, handle, key.slice(1), time]],
    [3, -1],
    [3, "now"],
    [4, filled(1, 15)],
  ];
  for (const [index, value] of wrong) {
    assert(refused(decodeOffer(encodeCbor(fields.with(index, value)))), `${index}`);
  }
});

const decoders: readonly (readonly [string, Bytes, (bytes: Bytes) => unknown])[] = [
  ["m1", encodeM1(m1), decodeM1],
  ["m2", m2, decodeM2],
  ["m3", encodeM3(m3), decodeM3],
  ["m4", encodeM4(m4), decodeM4],
  ["offer", encodeOffer(offer), decodeOffer],
  ["notice", encodeOwnIdNotice(notice), decodeOwnIdNotice],
];

for (const [name, valid, decode] of decoders) {
  Deno.test(`no truncated ${name} is accepted`, () => {
    for (let length = 0; length < valid.length; length++) {
      assert(refused(decode(valid.slice(0, length))), `${length}`);
    }
    assert(refused(decode(concatBytes(valid, encodeUint(0, 1)))));
  });

  Deno.test(`the decoder of ${name} answers anything and never throws`, () => {
    const seed = [crypto.getRandomValues(new Uint32Array(1))[0] ?? 0];
    const prng = new Prng(seed);
    for (let round = 0; round < 100_000; round++) {
      let bytes: Bytes;
      if (round % 4 === 0) {
        bytes = Uint8Array.from({ length: prng.below(64) }, () => prng.below(256));
      } else {
        // Structure lies at the front and between the long strings: hit that more often.
        bytes = valid.slice(0, round % 16 === 1 ? prng.below(valid.length) : valid.length);
        for (let hits = prng.below(4); hits >= 0; hits--) {
          const at = prng.below(2) === 0 ? prng.below(Math.min(16, bytes.length)) : undefined;
          bytes[at ?? prng.below(bytes.length)] = prng.below(256);
        }
      }
      try {
        decode(bytes);
      } catch (cause) {
        throw new Error(`seed ${seed} round ${round}: ${toHex(bytes)}`, { cause });
      }
    }
  });
}
