import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Bytes, toHex, utf8 } from "../base/bytes.ts";
import { counted, filled, flipped } from "../../tests/fixtures/bytes.ts";
import { agreeAsInitiator, agreeAsResponder, createInitiatorShares } from "./exchange_agreement.ts";
import { exchangeKnownAnswer } from "./exchange_known_answer.ts";
import { deriveSealKey, openOffer, sealOffer } from "./exchange_seal.ts";

Deno.test("the seals' HKDF gives what RFC 5869 appendix A says", async () => {
  const vectors: readonly (readonly [Bytes, Bytes, Bytes, number, string])[] = [
    [
      filled(0x0b, 22),
      counted(0x00, 13),
      counted(0xf0, 10),
      42,
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ],
    [
      counted(0x00, 80),
      counted(0x60, 80),
      counted(0xb0, 80),
      82,
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c" +
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71" +
      "cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ],
    [
      filled(0x0b, 22),
      new Uint8Array(0),
      new Uint8Array(0),
      42,
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ],
  ];
  for (const [secret, salt, info, length, result] of vectors) {
    assertEquals(toHex(await exchangeKnownAnswer.expand(secret, salt, info, length)), result);
  }
});

Deno.test("a seal opens for the other side of the same exchange and for nobody else", async () => {
  const initiator = await createInitiatorShares();
  const responder = await agreeAsResponder(initiator.share, initiator.encapsulationKey);
  assert(responder !== undefined);
  const { share, ciphertext } = responder;
  const secret = await agreeAsInitiator(initiator.keys, share, ciphertext);
  assert(secret !== undefined);
  const t = filled(1, 32);
  const t2 = filled(2, 32);
  const sealed = await sealOffer(await deriveSealKey(secret, t, t2, "initiator"), utf8("offer"));
  const open = async (hash: Bytes, confirmation: Bytes, role: "initiator" | "responder") =>
    await openOffer(await deriveSealKey(responder.secret, hash, confirmation, role), sealed);
  assertEquals(await open(t, t2, "initiator"), utf8("offer"));
  assertEquals(await open(t, t2, "responder"), undefined);
  assertEquals(await open(t2, t2, "initiator"), undefined);
  assertEquals(await open(t, t, "initiator"), undefined);

  const other = await agreeAsInitiator(initiator.keys, share, flipped(ciphertext, 0));
  assert(other !== undefined);
  const otherSeal = await deriveSealKey(other, t, t2, "initiator");
  assertEquals(await openOffer(otherSeal, sealed), undefined);
  assertNotEquals(await sealOffer(otherSeal, utf8("offer")), sealed);
});

Deno.test("no key of an exchange can be exported", async () => {
  const { keys, share, encapsulationKey } = await createInitiatorShares();
  const responder = await agreeAsResponder(share, encapsulationKey);
  assert(responder !== undefined);
  const seal = await deriveSealKey(responder.secret, filled(1, 32), filled(2, 32), "initiator");
  for (const key of [keys.x25519, keys.kem, responder.secret.key, seal.key]) {
    assertEquals(key.extractable, false);
  }
});
