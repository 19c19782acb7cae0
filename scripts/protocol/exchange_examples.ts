/**
 * Examples of PROTOCOL §4: one whole exchange between Ann, who dialled, and Bob. The platform makes
 * ephemeral keys of its own randomness, so the steps are done here one by one with fixed ones.
 *
 * @module
 */
import { type Bytes, equalBytes } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { invariant } from "../../src/base/invariant.ts";
import {
  agreeAsInitiator,
  deriveSealKey,
  exchangeKnownAnswer,
  exchangePurpose,
  hashConfirmation,
  hashTranscript,
  initiatorClaim,
  openOffer,
  proveClusterSecret,
  responderClaim,
  sealOffer,
  signWith,
  verifyFrom,
} from "../../src/crypto/mod.ts";
import {
  decodeM1,
  decodeM2,
  decodeM3,
  decodeM4,
  decodeOffer,
  encodeM1,
  encodeM2,
  encodeM2Head,
  encodeM3,
  encodeM4,
  encodeOffer,
  encodeOwnIdNotice,
  type SealedOffer,
} from "../../src/wire/exchange.ts";
import { nodeIdToBytes } from "../../src/wire/node_id.ts";
import { kemVectors } from "../../tests/vectors/ml_kem_768.ts";
import { type Actor, type Cast, filled, signedAt } from "./cast.ts";
import { annotated, fields } from "./hex.ts";

/** The part of Web Crypto that tells the public half of a key, not yet in TypeScript's library. */
interface PublicHalf {
  importKey(
    format: "raw-seed",
    bytes: Bytes,
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  getPublicKey(key: CryptoKey, usages: readonly string[]): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
}

function tellsPublicHalf(subtle: object): subtle is PublicHalf {
  return "getPublicKey" in subtle;
}

async function encapsulationKeyOf(seed: Bytes): Promise<Bytes> {
  const subtle: object = crypto.subtle;
  invariant(tellsPublicHalf(subtle), "the platform tells public halves");
  const key = await subtle.importKey("raw-seed", seed, "ML-KEM-768", false, ["decapsulateBits"]);
  const publicKey = await subtle.getPublicKey(key, ["encapsulateBits"]);
  return new Uint8Array(await subtle.exportKey("raw-public", publicKey));
}

/** u = 9 (RFC 7748 §6.1): a private value times it is the public one. */
function shareOf(privateKey: Bytes): Promise<Bytes> {
  const base = new Uint8Array(32);
  base[0] = 9;
  return exchangeKnownAnswer.x25519(privateKey, base);
}

function offerOf(actor: Actor, number: number): SealedOffer {
  return {
    membership: [],
    info: actor.info.bytes,
    grant: {
      epoch: filled(0xe0 + number, 8),
      handle: filled(0xc0 + number, 24),
      key: filled(0xd0 + number, 32),
      time: 1_000_000 * number,
    },
    wallTime: signedAt,
    bootNonce: actor.bootNonce,
  };
}

/** All messages of the exchange, in bytes. */
export interface ExampleExchange {
  readonly m1: Bytes;
  readonly m2: Bytes;
  readonly m3: Bytes;
  readonly m4: Bytes;
  readonly hash: Bytes;
  readonly examples: Readonly<Record<string, string>>;
}

/** Runs it. */
export async function exampleExchange({ ann, bob }: Cast): Promise<ExampleExchange> {
  const vector = kemVectors[0];
  invariant(vector !== undefined, "there is a vector");
  const seed = Uint8Array.fromHex(vector.seed);
  const [annPrivate, bobPrivate] = [filled(0x21, 32), filled(0x22, 32)];
  const clusterSecret = filled(0x33, 32);

  const m1 = encodeM1({
    versions: [1],
    bindings: [1],
    share: await shareOf(annPrivate),
    encapsulationKey: await encapsulationKeyOf(seed),
    nonce: filled(0x41, 32),
  });
  const bobShare = await shareOf(bobPrivate);
  const head = encodeM2Head({
    version: 1,
    binding: 1,
    share: bobShare,
    ciphertext: Uint8Array.fromHex(vector.ciphertext),
    nonce: filled(0x42, 32),
  });
  const hash = await hashTranscript({
    purpose: exchangePurpose,
    m1,
    head,
    initiator: nodeIdToBytes(ann.identity.id),
    responder: nodeIdToBytes(bob.identity.id),
    initiatorLeaf: ann.leafHash,
    responderLeaf: bob.leafHash,
    bindingKind: 1,
    clientBinding: filled(0x51, 32),
    serverBinding: filled(0x52, 32),
  });
  const responderProof = await proveClusterSecret(clusterSecret, hash, "responder");
  const theirs = responderClaim(hash, responderProof);
  const responderSignature = await signWith(bob.key, theirs.label, theirs.data);
  const m2 = encodeM2(head, responderProof, responderSignature);

  const keys = await exchangeKnownAnswer.initiatorKeys(annPrivate, seed);
  const secret = await agreeAsInitiator(keys, bobShare, Uint8Array.fromHex(vector.ciphertext));
  invariant(secret !== undefined, "the example agrees");
  const initiatorProof = await proveClusterSecret(clusterSecret, hash, "initiator");
  const confirmation = await hashConfirmation(
    hash,
    responderProof,
    initiatorProof,
    responderSignature,
  );
  const own = initiatorClaim(confirmation);
  const initiatorSignature = await signWith(ann.key, own.label, own.data);
  const [annSeal, bobSeal] = [
    await deriveSealKey(secret, hash, confirmation, "initiator"),
    await deriveSealKey(secret, hash, confirmation, "responder"),
  ];
  const annOffer = encodeOffer(offerOf(ann, 1));
  const sealed = await sealOffer(annSeal, annOffer);
  const m3 = encodeM3({ proof: initiatorProof, signature: initiatorSignature, sealed });
  const m4 = encodeM4({ sealed: await sealOffer(bobSeal, encodeOffer(offerOf(bob, 2))) });

  for (const decoded of [decodeM1(m1), decodeM2(m2), decodeM3(m3), decodeM4(m4)]) {
    invariant(!(decoded instanceof DecodeError), "the example decodes");
  }
  const opened = await openOffer(annSeal, sealed);
  invariant(opened !== undefined && equalBytes(opened, annOffer), "the example opens");
  invariant(!(decodeOffer(opened) instanceof DecodeError), "the example's offer decodes");
  invariant(
    await verifyFrom(bob.identity.publicKey, theirs.label, theirs.data, responderSignature) &&
      await verifyFrom(ann.identity.publicKey, own.label, own.data, initiatorSignature),
    "the example's signatures verify",
  );
  return {
    m1,
    m2,
    m3,
    m4,
    hash,
    examples: {
      "exchange-m1": await annotated(m1),
      "exchange-m2-head": await annotated(head),
      "exchange-m2": await annotated(m2),
      "exchange-transcript": fields([
        ["leaf hash I", ann.leafHash],
        ["leaf hash R", bob.leafHash],
        ["T", hash],
        ["proof R", responderProof],
        ["sigR", responderSignature],
        ["proof I", initiatorProof],
        ["T2", confirmation],
        ["sigI", initiatorSignature],
      ]),
      "exchange-offer": await annotated(annOffer),
      "exchange-m3": await annotated(m3),
      "exchange-m4": await annotated(m4),
      "exchange-own-id": await annotated(encodeOwnIdNotice({ bootNonce: ann.bootNonce })),
    },
  };
}
