import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Bytes, concatBytes, copyBytes, fromHex, toHex, utf8 } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import { kemVectors } from "../../tests/vectors/ml_kem_768.ts";
import {
  agreeAsInitiator,
  agreeAsResponder,
  createInitiatorShares,
  deriveSealKey,
  exchangeKnownAnswer,
  exchangePurpose,
  type ExchangeTranscript,
  hashConfirmation,
  hashTranscript,
  openOffer,
  proveClusterSecret,
  provesClusterSecret,
  sealOffer,
} from "./exchange.ts";

function hex(text: string): Bytes {
  const bytes = fromHex(text.replaceAll(" ", ""));
  invariant(bytes !== undefined, "a test's hexadecimal is right");
  return bytes;
}

function filled(value: number, length: number): Bytes {
  return new Uint8Array(length).fill(value);
}

function counted(from: number, to: number): Bytes {
  return Uint8Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

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

Deno.test("the proofs' HMAC gives what RFC 4231 says", async () => {
  const vectors: readonly (readonly [Bytes, Bytes, string])[] = [
    [
      filled(0x0b, 20),
      utf8("Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ],
    [
      utf8("Jefe"),
      utf8("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    [
      filled(0xaa, 20),
      filled(0xdd, 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ],
    [
      counted(1, 25),
      filled(0xcd, 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ],
    [
      filled(0xaa, 131),
      utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
    [
      filled(0xaa, 131),
      utf8(
        "This is a test using a larger than block-size key and a larger than block-size data. " +
          "The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ],
  ];
  for (const [key, data, result] of vectors) {
    assertEquals(toHex(await exchangeKnownAnswer.mac(key, data)), result);
  }
});

Deno.test("the seals' HKDF gives what RFC 5869 appendix A says", async () => {
  const vectors: readonly (readonly [Bytes, Bytes, Bytes, number, string])[] = [
    [
      filled(0x0b, 22),
      counted(0x00, 0x0c),
      counted(0xf0, 0xf9),
      42,
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ],
    [
      counted(0x00, 0x4f),
      counted(0x60, 0xaf),
      counted(0xb0, 0xff),
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

const transcript: ExchangeTranscript = {
  purpose: exchangePurpose,
  m1: filled(1, 1_260),
  head: filled(2, 1_162),
  initiator: filled(3, 32),
  responder: filled(4, 32),
  initiatorLeaf: filled(5, 32),
  responderLeaf: filled(6, 32),
  bindingKind: 1,
  clientBinding: filled(7, 32),
  serverBinding: filled(8, 32),
};

// The expected values of this test come from Python's hashlib and hmac and from OpenSSL's AES-GCM,
// out of the constructions as PROTOCOL §4 words them.
Deno.test("hashes, proofs and seals are what another implementation computes", async () => {
  const clusterSecret = filled(9, 32);
  const t = await hashTranscript(transcript);
  assertEquals(toHex(t), "1e56216e7378712893fc93a05786a17f063c52023d433c36f0a155c7ac86c720");
  const responderProof = await proveClusterSecret(clusterSecret, t, "responder");
  assertEquals(
    toHex(responderProof),
    "ba551c0bf2997c2579344d33dab51b10331bcadd12ec156df60ccf4e7a95111c",
  );
  const initiatorProof = await proveClusterSecret(clusterSecret, t, "initiator");
  assertEquals(
    toHex(initiatorProof),
    "51f439e42d57f2d0c3987805b6f1e57d18519b83d8c206eeec28f329cb0325fb",
  );
  const t2 = await hashConfirmation(t, responderProof, initiatorProof, filled(0x0a, 64));
  assertEquals(toHex(t2), "727bd9926a833ea86f9c02bac91b4f09ffb1dff079e6a576243d2d8d1a37cce0");

  const [vector] = kemVectors;
  assert(vector !== undefined);
  const keys = await exchangeKnownAnswer.initiatorKeys(alicePrivate, hex(vector.seed));
  const secret = await agreeAsInitiator(keys, bobPublic, hex(vector.ciphertext));
  assert(secret !== undefined);
  const initiatorSeal = await deriveSealKey(secret, t, t2, "initiator");
  const responderSeal = await deriveSealKey(secret, t, t2, "responder");
  assertEquals(
    toHex(await sealOffer(initiatorSeal, utf8("from the initiator"))),
    "3e3d1926a6216d825c1ade207927d1162d79752854d8d0e578022430ef08af13f115",
  );
  assertEquals(
    toHex(await sealOffer(responderSeal, utf8("from the responder"))),
    "6734a52ea45f02464013b320e0b59817fb817be7a674efc316c18dee5c159b0f689e",
  );
});

Deno.test("every part of the transcript, and where one ends, changes its hash", async () => {
  const { m1, head, initiator, responder, initiatorLeaf, responderLeaf } = transcript;
  const others: readonly ExchangeTranscript[] = [
    { ...transcript, purpose: "mesh v1 relayed exchange" },
    { ...transcript, m1: m1.slice(1) },
    { ...transcript, head: head.slice(1) },
    { ...transcript, initiator: responder, responder: initiator },
    { ...transcript, initiatorLeaf: responderLeaf },
    { ...transcript, responderLeaf: initiatorLeaf },
    { ...transcript, bindingKind: 2 },
    { ...transcript, clientBinding: transcript.serverBinding },
    { ...transcript, serverBinding: transcript.clientBinding },
    { ...transcript, m1: concatBytes(m1, head.slice(0, 1)), head: head.slice(1) },
  ];
  const hashes = await Promise.all([transcript, ...others].map(hashTranscript));
  assertEquals(new Set(hashes.map(toHex)).size, hashes.length);
});

Deno.test("a proof is right for its secret, transcript and role only", async () => {
  const secret = filled(9, 32);
  const t = filled(1, 32);
  const proof = await proveClusterSecret(secret, t, "initiator");
  assert(await provesClusterSecret(secret, t, "initiator", proof));
  assert(!await provesClusterSecret(secret, t, "responder", proof));
  assert(!await provesClusterSecret(filled(8, 32), t, "initiator", proof));
  assert(!await provesClusterSecret(secret, filled(2, 32), "initiator", proof));
  assert(!await provesClusterSecret(secret, t, "initiator", proof.slice(0, 31)));
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

  const wrong = copyBytes(ciphertext);
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  const other = await agreeAsInitiator(initiator.keys, share, wrong);
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
