import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Bytes, copyBytes, toHex } from "../base/bytes.ts";
import { hex } from "../../tests/fixtures/bytes.ts";
import { kemVectors } from "../../tests/vectors/ml_kem_768.ts";
import { agreeAsInitiator, agreeAsResponder, createInitiatorShares } from "./exchange_agreement.ts";
import { exchangeKnownAnswer } from "./exchange_known_answer.ts";

const alicePrivate = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const alicePublic = hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
const bobPrivate = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
const bobPublic = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
const aliceAndBob = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

Deno.test("X25519 gives what RFC 7748 §5.2 says", async () => {
  const vectors = [
    [
      "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ],
    [
      "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
      "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ],
  ];
  for (const [scalar = "", u = "", result = ""] of vectors) {
    assertEquals(toHex(await exchangeKnownAnswer.x25519(hex(scalar), hex(u))), result);
  }
});

Deno.test("both sides of RFC 7748 §6.1 agree", async () => {
  assertEquals(toHex(await exchangeKnownAnswer.x25519(alicePrivate, bobPublic)), aliceAndBob);
  assertEquals(toHex(await exchangeKnownAnswer.x25519(bobPrivate, alicePublic)), aliceAndBob);
});

// The points whose order divides 8, on the curve and on its twist, with their second encodings.
const lowOrderShares = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

Deno.test("a low-order share is no agreement, for either side", async () => {
  const initiator = await createInitiatorShares();
  const responder = await agreeAsResponder(initiator.share, initiator.encapsulationKey);
  assert(responder !== undefined);
  for (const text of lowOrderShares) {
    const share = hex(text);
    assertEquals(await agreeAsResponder(share, initiator.encapsulationKey), undefined, text);
    assertEquals(
      await agreeAsInitiator(initiator.keys, share, responder.ciphertext),
      undefined,
      text,
    );
    await assertRejects(() => exchangeKnownAnswer.x25519(alicePrivate, share), Error);
  }
});

for (const vector of kemVectors) {
  Deno.test(`ML-KEM-768 decapsulates ${vector.name}`, async () => {
    assertEquals(
      toHex(await exchangeKnownAnswer.decapsulate(hex(vector.seed), hex(vector.ciphertext))),
      vector.shared,
    );
  });
}

Deno.test("an encapsulation key with a coefficient of the modulus or more is refused", async () => {
  const { share, encapsulationKey } = await createInitiatorShares();
  const withFirst = (coefficient: number): Bytes => {
    const key = copyBytes(encapsulationKey);
    key[0] = coefficient & 0xff;
    key[1] = ((key[1] ?? 0) & 0xf0) | (coefficient >> 8);
    return key;
  };
  assert(await agreeAsResponder(share, withFirst(3_328)) !== undefined);
  assertEquals(await agreeAsResponder(share, withFirst(3_329)), undefined);
  assertEquals(await agreeAsResponder(share, withFirst(4_095)), undefined);
  assertEquals(await agreeAsResponder(share, encapsulationKey.slice(1)), undefined);
});
