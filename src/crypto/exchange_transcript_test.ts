import { assert, assertEquals } from "@std/assert";
import { concatBytes, toHex, utf8 } from "../base/bytes.ts";
import { filled, hex } from "../../tests/fixtures/bytes.ts";
import { kemVectors } from "../../tests/vectors/ml_kem_768.ts";
import { agreeAsInitiator } from "./exchange_agreement.ts";
import { exchangeKnownAnswer } from "./exchange_known_answer.ts";
import { proveClusterSecret } from "./exchange_proof.ts";
import { deriveSealKey, sealOffer } from "./exchange_seal.ts";
import {
  exchangePurpose,
  type ExchangeTranscript,
  hashConfirmation,
  hashTranscript,
} from "./exchange_transcript.ts";

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

// Private and public key of the two sides of RFC 7748 §6.1.
const initiatorPrivate = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const responderShare = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

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
  const keys = await exchangeKnownAnswer.initiatorKeys(initiatorPrivate, hex(vector.seed));
  const secret = await agreeAsInitiator(keys, responderShare, hex(vector.ciphertext));
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
