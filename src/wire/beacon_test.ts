import { assertEquals, assertInstanceOf } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import { DecodeError, isDecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { hex } from "../../tests/fixtures/bytes.ts";
import {
  type Beacon,
  beaconBytesLength,
  beaconBytesMax,
  decodeBeacon,
  encodeBeacon,
} from "./beacon.ts";

const golden = hex(`
  6d657368 01 01
  8c542183440321525e2cbca12bb1fabd
  00 202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
  1cf3
  14f516a507305bc71becdf62596203f6`);

const spoken: Beacon = {
  solicitation: true,
  tag: hex("8c542183440321525e2cbca12bb1fabd"),
  idForm: "plain",
  id: hex("202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"),
  port: 7411,
  island: hex("14f516a507305bc71becdf62596203f6"),
};

function changed(at: number, ...values: number[]): Bytes {
  const bytes = golden.slice();
  bytes.set(values, at);
  return bytes;
}

Deno.test("a beacon has these 73 bytes", () => {
  assertEquals(golden.length, beaconBytesLength);
  assertEquals(toHex(encodeBeacon(spoken)), toHex(golden));
  assertEquals(decodeBeacon(golden), spoken);
});

Deno.test("a quiet blinded beacon has flags 0 and id form 1", () => {
  const quiet: Beacon = { ...spoken, solicitation: false, idForm: "blinded" };
  const bytes = changed(5, 0);
  bytes[22] = 1;
  assertEquals(toHex(encodeBeacon(quiet)), toHex(bytes));
  assertEquals(decodeBeacon(bytes), quiet);
});

Deno.test("flags of later versions are ignored", () => {
  assertEquals(decodeBeacon(changed(5, 0xff)), spoken);
  assertEquals(decodeBeacon(changed(5, 0xfe)), { ...spoken, solicitation: false });
});

Deno.test("a tail of later versions is ignored, up to 200 bytes in all", () => {
  const long = new Uint8Array(beaconBytesMax);
  long.set(golden);
  long.fill(0xee, beaconBytesLength);
  assertEquals(decodeBeacon(long), spoken);
  const longer = new Uint8Array(beaconBytesMax + 1);
  longer.set(golden);
  assertEquals(decodeBeacon(longer), new DecodeError("beacon too long"));
});

Deno.test("what is not a beacon of this version is refused with a reason", () => {
  assertEquals(decodeBeacon(golden.subarray(0, 72)), new DecodeError("beacon too short"));
  assertEquals(decodeBeacon(new Uint8Array(0)), new DecodeError("beacon too short"));
  assertEquals(decodeBeacon(changed(3, 0x69)), new DecodeError("beacon of another protocol"));
  assertEquals(decodeBeacon(changed(4, 2)), new DecodeError("beacon of another version"));
  assertEquals(decodeBeacon(changed(22, 2)), new DecodeError("beacon id form unknown"));
  assertEquals(decodeBeacon(changed(55, 0, 0)), new DecodeError("beacon without a port"));
});

Deno.test("the fields of a decoded beacon have memory of their own", () => {
  const bytes = golden.slice();
  const beacon = decodeBeacon(bytes);
  bytes.fill(0);
  assertEquals(beacon, spoken);
});

Deno.test("100,000 random and mutated beacons never throw, and what is read is written the same", () => {
  const seed = [0x6d657368, 0x62656163, 1, 1];
  const prng = new Prng(seed);
  for (let round = 0; round < 100_000; round++) {
    const bytes = prng.unit() < 0.3
      ? Uint8Array.from({ length: prng.below(260) }, () => prng.below(256))
      : golden.slice(0, prng.unit() < 0.1 ? prng.below(golden.length + 1) : golden.length);
    for (let flips = prng.below(4); flips > 0; flips--) {
      if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(256);
    }
    const decoded = decodeBeacon(bytes);
    const hint = `seed ${seed} round ${round}: ${toHex(bytes)}`;
    if (isDecodeError(decoded)) {
      assertInstanceOf(decoded, DecodeError, hint);
      continue;
    }
    const expected = bytes.slice(0, beaconBytesLength);
    expected[5] = (expected[5] ?? 0) & 1;
    assertEquals(toHex(encodeBeacon(decoded)), toHex(expected), hint);
  }
});
