import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Bytes, concatBytes, toHex, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { InvariantError } from "../base/invariant.ts";
import { hex } from "../../tests/fixtures/bytes.ts";
import { ed25519Vectors } from "../../tests/vectors/ed25519.ts";
import {
  generateKey,
  importPrivateKey,
  nodeIdOf,
  parsePublicKey,
  privateKeyOfSeed,
  type PublicKey,
  signCertificate,
  signCose,
  signWith,
  spkiOf,
  verifyFrom,
  verifySignature,
} from "./identity_key.ts";

function publicKey(raw: Uint8Array): PublicKey {
  const key = parsePublicKey(raw);
  assert(!(key instanceof DecodeError));
  return key;
}

for (const vector of ed25519Vectors) {
  Deno.test(`RFC 8032 §7.1 ${vector.name}: key, signature and verification`, async () => {
    const key = await privateKeyOfSeed(hex(vector.seed));
    const message = hex(vector.message);
    assertEquals(toHex(key.publicKey), vector.publicKey);
    const signed = await crypto.subtle.sign("Ed25519", key.privateKey, message);
    assertEquals(toHex(new Uint8Array(signed)), vector.signature);
    const signature = hex(vector.signature);
    assert(await verifySignature(publicKey(hex(vector.publicKey)), message, signature));
    signature[0] = (signature[0] ?? 0) ^ 1;
    assert(!await verifySignature(key.publicKey, message, signature));
  });
}

Deno.test("the 1,024 vector's message has 1,023 bytes, as the RFC says", () => {
  assertEquals(ed25519Vectors.map((vector) => vector.message.length / 2), [0, 1, 2, 1_023, 64]);
});

Deno.test("what is signed under a purpose is 64 spaces, the label, a zero byte and the data", async () => {
  const key = await privateKeyOfSeed(new Uint8Array(32).fill(1));
  const data = hex("00 01 ff");
  const signature = await signWith(key, "mesh v1 test", data);
  const form = concatBytes(
    new Uint8Array(64).fill(0x20),
    utf8("mesh v1 test"),
    Uint8Array.of(0),
    data,
  );
  assert(await verifySignature(key.publicKey, form, signature));
  assert(await verifyFrom(key.publicKey, "mesh v1 test", data, signature));
  assert(!await verifyFrom(key.publicKey, "mesh v1 tes", concatBytes(utf8("t"), data), signature));
  assert(!await verifyFrom(key.publicKey, "mesh v1 test", hex("00 01 fe"), signature));
  const other = await privateKeyOfSeed(new Uint8Array(32).fill(2));
  assert(!await verifyFrom(other.publicKey, "mesh v1 test", data, signature));
});

Deno.test("a label cannot hold the byte that ends it", async () => {
  const key = await privateKeyOfSeed(new Uint8Array(32).fill(1));
  assertThrows(
    () => verifyFrom(key.publicKey, "a\0b", hex(""), new Uint8Array(64)),
    InvariantError,
  );
});

Deno.test("only a COSE structure is signed as one", async () => {
  const key = await privateKeyOfSeed(new Uint8Array(32).fill(1));
  const structure = concatBytes(hex("84 6a"), utf8("Signature1"), hex("40 40 40"));
  assert(await verifySignature(key.publicKey, structure, await signCose(key, structure)));
  let refused: unknown;
  await signCose(key, hex("30 03 02 01 01")).catch((error: unknown) => refused = error);
  assert(refused instanceof InvariantError);
});

Deno.test("only a DER sequence is signed as a certificate", async () => {
  const key = await privateKeyOfSeed(new Uint8Array(32).fill(1));
  const tbs = hex("30 03 02 01 01");
  assert(await verifySignature(key.publicKey, tbs, await signCertificate(key, tbs)));
  let refused: unknown;
  await signCertificate(key, hex("84 6a 53")).catch((error: unknown) => refused = error);
  assert(refused instanceof InvariantError);
});

Deno.test("a signature of another length is none", async () => {
  const key = await privateKeyOfSeed(new Uint8Array(32).fill(1));
  for (const length of [0, 63, 65, 4_096]) {
    assert(!await verifySignature(key.publicKey, hex("00"), new Uint8Array(length)));
  }
});

Deno.test("the node id is the SHA-256 of the 44 bytes of key info, in base32", async () => {
  // RFC 8410 §10.1: the public key of its example, as openssl prints it.
  const key = publicKey(hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"));
  const spki = hex(
    "302a300506032b6570032100 19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
  );
  assertEquals(spkiOf(key), spki);
  const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
  const bits = [...hash].map((digit) => parseInt(digit, 16).toString(2).padStart(4, "0")).join("");
  const text = (bits.padEnd(260, "0").match(/.{5}/g) ?? [])
    .map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five, 2)]).join("");
  assertEquals((await nodeIdOf(key)).toString(), text);
});

Deno.test("the RFC 8410 §10.3 private key is accepted, its second form is not", async () => {
  const seed = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
  const key = await importPrivateKey(hex(`302e020100300506032b657004220420${seed}`));
  assert(!(key instanceof DecodeError));
  assertEquals(
    toHex(key.publicKey),
    "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
  );
  const variants = [
    "",
    `302e020100300506032b657004220420${seed.slice(2)}`,
    `302e020100300506032b657004220420${seed}00`,
    `302e020101300506032b657004220420${seed}`,
    `302e020100300506032b656e04220420${seed}`,
    `302e020100300506032b657004220421${seed}`,
  ];
  for (const variant of variants) {
    assert(await importPrivateKey(hex(variant)) instanceof DecodeError, variant);
  }
});

Deno.test("a generated key signs, cannot be read out, and its PKCS#8 is the same key", async () => {
  const { key, pkcs8 } = await generateKey();
  assert(!key.privateKey.extractable);
  const again = await importPrivateKey(pkcs8);
  assert(!(again instanceof DecodeError));
  assertEquals(again.publicKey, key.publicKey);
  assert(!again.privateKey.extractable);
  const signature = await signWith(key, "mesh v1 test", hex("01"));
  assert(await verifyFrom(again.publicKey, "mesh v1 test", hex("01"), signature));
});

// The curve, in plain arithmetic, to find the points of small order without the code under test.
const p = 2n ** 255n - 19n;

function mod(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [mod(base), exponent]; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const d = mod(-121665n * power(121666n, p - 2n));

type Point = readonly [x: bigint, y: bigint];

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const product = mod(d * x1 * x2 * y1 * y2);
  return [
    mod((x1 * y2 + x2 * y1) * power(1n + product, p - 2n)),
    mod((y1 * y2 + x1 * x2) * power(1n - product, p - 2n)),
  ];
}

/** RFC 8032 §5.1.3 without the check that y is below p. */
function decompress(raw: Uint8Array): Point | undefined {
  const little = BigInt(`0x${toHex(raw.slice().reverse())}`);
  const sign = little >> 255n;
  const y = mod(little & ((1n << 255n) - 1n));
  const square = mod((y * y - 1n) * power(d * y * y + 1n, p - 2n));
  let x = power(square, (p + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (p - 1n) / 4n));
  if (mod(x * x) !== square) return undefined;
  return [(x & 1n) === sign ? x : mod(-x), y];
}

function compress([x, y]: Point): Bytes {
  return hex((y | ((x & 1n) << 255n)).toString(16).padStart(64, "0")).reverse();
}

Deno.test("all eight points of small order are refused, whatever their sign bit", () => {
  // L times any point lies in the group of order 8; of enough points, all eight are met.
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const found = new Set<string>();
  for (let first = 2; found.size < 8 && first < 200; first++) {
    const point = decompress(Uint8Array.of(first, ...new Uint8Array(31)));
    if (point === undefined) continue;
    let multiple: Point = [0n, 1n];
    for (let [double, rest] = [point, order]; rest > 0n; rest >>= 1n) {
      if ((rest & 1n) === 1n) multiple = add(multiple, double);
      double = add(double, double);
    }
    for (let [step, times] = [multiple, 0]; times < 8; times++, step = add(step, multiple)) {
      found.add(toHex(compress(step)));
    }
  }
  assertEquals(found.size, 8);
  for (const text of found) {
    for (const sign of [0, 0x80]) {
      const raw = hex(text);
      raw[31] = ((raw[31] ?? 0) & 0x7f) | sign;
      assert(parsePublicKey(raw) instanceof DecodeError, toHex(raw));
    }
  }
});

Deno.test("no key whose y is p or more is accepted, and none below is refused for it", () => {
  for (let low = 0; low < 256; low++) {
    for (const top of [0x7f, 0xff]) {
      const raw = Uint8Array.of(low, ...new Uint8Array(30).fill(0xff), top);
      const parsed = parsePublicKey(raw);
      // p − 1, of order 2, ends in 0xec.
      assertEquals(parsed instanceof DecodeError, low >= 0xec, `${low} ${top}`);
    }
  }
});

Deno.test("a key is 32 bytes, copied", () => {
  for (const length of [0, 31, 33]) {
    assert(parsePublicKey(new Uint8Array(length).fill(7)) instanceof DecodeError);
  }
  const raw = new Uint8Array(32).fill(7);
  const key = publicKey(raw);
  raw.fill(0);
  assertEquals(key[0], 7);
});
