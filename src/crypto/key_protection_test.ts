import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import {
  deriveFromPassphrase,
  type KeySecret,
  openKey,
  protectionOf,
  sealKey,
} from "./key_protection.ts";
import * as limits from "./limits.ts";

const plain = utf8("forty-eight bytes that nobody else should see...");
const credential: KeySecret = { kind: "credential", credential: new Uint8Array(32).fill(5) };
const passphrase: KeySecret = { kind: "passphrase", passphrase: "correct horse" };

async function sealed(secret: KeySecret): Promise<Bytes> {
  const envelope = await sealKey(plain, secret);
  assert(!(envelope instanceof DecodeError));
  return envelope;
}

// From the Argon2 reference implementation's test.c: Argon2id, version 0x13, "somesalt".
const argonVectors = [
  [65_536, 2, 1, "password", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"],
  [256, 2, 1, "password", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"],
  [256, 2, 2, "password", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"],
] as const;

for (const [memory, passes, lanes, secret, expected] of argonVectors) {
  Deno.test(`Argon2id with ${memory} KiB, ${passes} passes, ${lanes} lanes`, async () => {
    const raw = await deriveFromPassphrase(
      utf8(secret),
      utf8("somesalt"),
      memory,
      passes,
      lanes,
    );
    assertEquals(toHex(raw), expected);
  });
}

Deno.test("a key opens under the secret that sealed it, and shows no byte of itself", async () => {
  for (const secret of [credential, passphrase]) {
    const envelope = await sealed(secret);
    assertEquals(protectionOf(envelope), secret.kind);
    assert(!toHex(envelope).includes(toHex(plain.subarray(0, 8))));
    assertEquals(await openKey(envelope, secret), plain);
  }
});

Deno.test("two envelopes of one key under one secret have nothing in common", async () => {
  const [a, b] = [await sealed(credential), await sealed(credential)];
  const [first, second] = [decodeCbor(a), decodeCbor(b)];
  assert(Array.isArray(first) && Array.isArray(second));
  for (const item of [2, 3, 5]) assert(String(first[item]) !== String(second[item]));
});

Deno.test("another secret, or another kind of secret, opens nothing", async () => {
  const envelope = await sealed(credential);
  const others: readonly KeySecret[] = [
    { kind: "credential", credential: new Uint8Array(32).fill(6) },
    { kind: "credential", credential: new Uint8Array(33).fill(5) },
    { kind: "credential", credential: new Uint8Array(8) },
    { kind: "passphrase", passphrase: "correct horse" },
  ];
  for (const other of others) assert(await openKey(envelope, other) instanceof DecodeError);
  const wrong = await openKey(await sealed(passphrase), {
    kind: "passphrase",
    passphrase: "correct horsf",
  });
  assert(wrong instanceof DecodeError);
});

Deno.test("a passphrase is the same however its accents were typed", async () => {
  const envelope = await sealed({ kind: "passphrase", passphrase: "caf\u00e9" });
  assertEquals(await openKey(envelope, { kind: "passphrase", passphrase: "cafe\u0301" }), plain);
});

Deno.test("an empty passphrase and a short credential seal nothing", async () => {
  const weak: readonly KeySecret[] = [
    { kind: "passphrase", passphrase: "" },
    { kind: "credential", credential: new Uint8Array(31) },
  ];
  for (const secret of weak) assert(await sealKey(plain, secret) instanceof DecodeError);
});

Deno.test("an envelope written by hand from the format's description opens", async () => {
  const [salt, nonce] = [new Uint8Array(16).fill(1), new Uint8Array(12).fill(2)];
  const ikm = await crypto.subtle.importKey("raw", new Uint8Array(32).fill(5), "HKDF", false, [
    "deriveKey",
  ]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt, info: utf8("mesh v1 key file credential") },
    ikm,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt"],
  );
  // [1, 2, h'01…', h'02…', []
  const header = fromHex(`850102${"50"}${"01".repeat(16)}${"4c"}${"02".repeat(12)}80`);
  assert(header !== undefined);
  const additionalData = concatBytes(utf8("mesh v1 key file"), Uint8Array.of(0), header);
  const ciphertext = new Uint8Array(
    await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData }, key, plain),
  );
  // … and the ciphertext as sixth item.
  const envelope = concatBytes(
    Uint8Array.of(0x86),
    header.subarray(1),
    Uint8Array.of(0x58, ciphertext.length),
    ciphertext,
  );
  assertEquals(await openKey(envelope, credential), plain);
});

Deno.test("no flip of one bit and no truncation of an envelope opens", async () => {
  const envelope = await sealed(credential);
  for (let bit = 0; bit < envelope.length * 8; bit++) {
    const changed = envelope.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert(await openKey(changed, credential) instanceof DecodeError, `bit ${bit}`);
  }
  for (let length = 0; length < envelope.length; length++) {
    assert(await openKey(envelope.slice(0, length), credential) instanceof DecodeError);
  }
});

Deno.test("an envelope that asks for the machine's memory is refused unopened", () => {
  const costs = [
    [limits.argonMemoryKibMax + 1, 3, 4],
    [65_536, limits.argonPassesMax + 1, 4],
    [65_536, 3, limits.argonLanesMax + 1],
    [7, 3, 1],
    [65_536, 0, 1],
    [65_536, 3, 0],
    [65_536, 3],
    [],
  ];
  for (const cost of costs) {
    const envelope = encodeCbor(
      [1, 1, new Uint8Array(16), new Uint8Array(12), cost, new Uint8Array(64)],
    );
    assert(protectionOf(envelope) instanceof DecodeError, cost.join(" "));
  }
});

Deno.test("random and mutated envelopes never throw", async () => {
  const seed = [...crypto.getRandomValues(new Uint32Array(4))];
  const prng = new Prng(seed);
  const envelope = await sealed(credential);
  for (let round = 0; round < 100_000; round++) {
    const bytes = prng.below(4) === 0
      ? Uint8Array.from({ length: prng.below(100) }, () => prng.below(256))
      : envelope.slice(0, 1 + prng.below(envelope.length));
    for (let i = prng.below(3); i > 0 && bytes.length > 0; i--) {
      bytes[prng.below(bytes.length)] = prng.below(256);
    }
    const kind = protectionOf(bytes);
    assert(
      kind instanceof DecodeError || kind === "credential" || kind === "passphrase",
      `${seed}`,
    );
  }
});

Deno.test("the limits agree with each other", () => {
  assert(limits.argonMemoryKib <= limits.argonMemoryKibMax);
  assert(limits.argonPasses <= limits.argonPassesMax);
  assert(limits.argonLanes <= limits.argonLanesMax);
  // RFC 9106 §3.1: at least 8 KiB for each lane.
  assert(limits.argonMemoryKib >= 8 * limits.argonLanes);
});
