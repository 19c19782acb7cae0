import { assertEquals, assertInstanceOf } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { counted, hex } from "../../tests/fixtures/bytes.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import {
  type DatagramGrant,
  decodeNextGrant,
  grantBytesMax,
  grantFromCbor,
  grantToCbor,
  nextGrantLength,
  writeNextGrant,
} from "./grant.ts";

const grant = {
  epoch: counted(0x00, 8),
  handle: counted(0x10, 24),
  key: counted(0x40, 32),
  time: 1_000_000,
};

function encodeGrant(value: DatagramGrant): Bytes {
  return encodeCbor(grantToCbor(value));
}

function decodeGrant(bytes: Uint8Array): DatagramGrant | DecodeError {
  const value = decodeCbor(bytes);
  return value instanceof DecodeError ? value : grantFromCbor(value);
}

const golden = "84 48 0001020304050607 5818 101112131415161718191a1b1c1d1e1f2021222324252627 " +
  "5820 404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f 1a 000f4240";

Deno.test("a grant is a CBOR array of epoch, handle, key and time", () => {
  assertEquals(toHex(encodeGrant(grant)), golden.replaceAll(" ", ""));
  assertEquals(decodeGrant(hex(golden)), grant);
});

Deno.test("the longest grant has exactly the length that is allowed", () => {
  const longest = encodeGrant({ ...grant, time: Number.MAX_SAFE_INTEGER });
  assertEquals(longest.length, grantBytesMax);
});

Deno.test("a grant with a field too many, too few, too long or negative is refused", () => {
  const { epoch, handle, key, time } = grant;
  for (
    const wrong of [
      [epoch, handle, key],
      [epoch, handle, key, time, 0],
      [epoch.slice(1), handle, key, time],
      [epoch, counted(0, 25), key, time],
      [epoch, handle, counted(0, 16), time],
      [epoch, handle, key, -1],
      [epoch, handle, key, "1"],
    ]
  ) assertInstanceOf(decodeGrant(encodeCbor(wrong)), DecodeError);
});

Deno.test("a next grant is the same three fields, 64 bytes", () => {
  const bytes = new Uint8Array(70);
  writeNextGrant(grant, bytes, 3);
  assertEquals(
    toHex(bytes.subarray(3, 67)),
    toHex(grant.epoch) + toHex(grant.handle) + toHex(grant.key),
  );
  const { epoch, handle, key } = grant;
  assertEquals(decodeNextGrant(bytes.slice(3, 67)), { epoch, handle, key });
  assertEquals(nextGrantLength, 64);
  assertInstanceOf(decodeNextGrant(bytes.slice(3, 66)), DecodeError);
});

Deno.test("no bytes make the grant's decoder throw", () => {
  const seed = [0x6772, 1, 2, 3];
  const prng = new Prng(seed);
  const valid = encodeGrant(grant);
  for (let i = 0; i < 100_000; i++) {
    const bytes = prng.below(4) === 0
      ? new Uint8Array(prng.below(90)).map(() => prng.below(256))
      : valid.slice(0, prng.below(8) === 0 ? prng.below(valid.length) : valid.length);
    if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(256);
    try {
      const decoded = decodeGrant(bytes);
      if (!(decoded instanceof DecodeError)) assertEquals(encodeGrant(decoded), bytes);
    } catch (cause) {
      throw new Error(`seed ${seed} case ${i}: ${toHex(bytes)}`, { cause });
    }
  }
});
