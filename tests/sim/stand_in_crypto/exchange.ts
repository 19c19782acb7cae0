/**
 * The stand-in's exchange: shares of their real length, a secret that follows from what travels,
 * seals that open under the right key alone and hide nothing. NOT SECURE.
 *
 * @module
 */
import { type Bytes, concatBytes, equalBytes, utf8 } from "../../../src/base/bytes.ts";
import type {
  ExchangeSecret,
  InitiatorKeys,
  InitiatorShares,
  ResponderShares,
} from "../../../src/crypto/exchange_agreement.ts";
import type { ExchangeSealKey } from "../../../src/crypto/exchange_seal.ts";
import {
  type ExchangeRole,
  type ExchangeTranscript,
  transcriptParts,
} from "../../../src/crypto/exchange_transcript.ts";
import { sha256 } from "./digest.ts";
import { bytesOf, drawn, mixed, mixedParts, StandInKey } from "./mixing.ts";
import { openMixed, sealMixed } from "./sealing.ts";

const shareOf = 0x30;
const agreed = 0x31;
const proof = 0x32;
const seal = 0x33;

/** Lengths of ML-KEM-768 (FIPS 203 §8): messages are as long as the real ones. */
const encapsulationKeyLength = 1_184;
const ciphertextLength = 1_088;

function padded(bytes: Bytes, length: number): Bytes {
  const long = new Uint8Array(length);
  long.set(bytes);
  return long;
}

/** A share that no key has: the real platform refuses those of low order, zero among them. */
function isUnfit(share: Bytes): boolean {
  return share.every((byte) => byte === 0);
}

/** What both sides can compute, and everybody else. NOT SECURE. */
function secretOf(initiatorShare: Bytes, responderShare: Bytes, ciphertext: Bytes): ExchangeSecret {
  const joined = concatBytes(initiatorShare, responderShare, ciphertext.subarray(0, 32));
  return { key: new StandInKey(mixed(agreed, joined, 32)) };
}

/** Drawn keys for one exchange. NOT SECURE. */
export function createInitiatorShares(): Promise<InitiatorShares> {
  const key = drawn();
  return Promise.resolve({
    keys: { x25519: new StandInKey(key), kem: new StandInKey(key) },
    share: mixed(shareOf, key, 32),
    encapsulationKey: padded(key, encapsulationKeyLength),
  });
}

/** As the real one; `undefined` for a share of zeros or an encapsulation key of another length. */
export function agreeAsResponder(
  share: Bytes,
  encapsulationKey: Bytes,
): Promise<ResponderShares | undefined> {
  if (isUnfit(share) || encapsulationKey.length !== encapsulationKeyLength) {
    return Promise.resolve(undefined);
  }
  const own = mixed(shareOf, drawn(), 32);
  const ciphertext = padded(mixed(shareOf, encapsulationKey.subarray(0, 32), 32), ciphertextLength);
  return Promise.resolve({ share: own, ciphertext, secret: secretOf(share, own, ciphertext) });
}

/** As the real one; a ciphertext for another key gives a secret nobody else has. */
export function agreeAsInitiator(
  keys: InitiatorKeys,
  share: Bytes,
  ciphertext: Bytes,
): Promise<ExchangeSecret | undefined> {
  if (isUnfit(share)) return Promise.resolve(undefined);
  const expected = mixed(shareOf, bytesOf(keys.kem), 32);
  const isForUs = equalBytes(expected, ciphertext.subarray(0, 32));
  const own = mixed(shareOf, bytesOf(keys.x25519), 32);
  return Promise.resolve(secretOf(own, share, isForUs ? ciphertext : drawn()));
}

/** A mix of secret, transcript and prover. NOT SECURE. */
export function proveClusterSecret(
  clusterSecret: Bytes,
  transcriptHash: Bytes,
  prover: ExchangeRole,
): Promise<Bytes> {
  return Promise.resolve(mixedParts(proof, 32, clusterSecret, transcriptHash, utf8(prover)));
}

/** Whether the proof is right. */
export async function provesClusterSecret(
  clusterSecret: Bytes,
  transcriptHash: Bytes,
  prover: ExchangeRole,
  shown: Bytes,
): Promise<boolean> {
  return equalBytes(await proveClusterSecret(clusterSecret, transcriptHash, prover), shown);
}

/** The sealing key of one side. NOT SECURE. */
export function deriveSealKey(
  secret: ExchangeSecret,
  transcriptHash: Bytes,
  confirmationHash: Bytes,
  sealer: ExchangeRole,
): Promise<ExchangeSealKey> {
  const parts = [bytesOf(secret.key), transcriptHash, confirmationHash, utf8(sealer)];
  return Promise.resolve({
    key: new StandInKey(mixedParts(seal, 32, ...parts)),
    confirmationHash,
  });
}

/** 16 bytes longer than the plaintext, which it does not hide. NOT SECURE. */
export function sealOffer(key: ExchangeSealKey, plaintext: Bytes): Promise<Bytes> {
  const nothing = plaintext.subarray(0, 0);
  return Promise.resolve(sealMixed(bytesOf(key.key), key.confirmationHash, nothing, plaintext));
}

/** Opens what the other side sealed; `undefined` if it is not that. */
export function openOffer(key: ExchangeSealKey, sealed: Bytes): Promise<Bytes | undefined> {
  return Promise.resolve(openMixed(bytesOf(key.key), key.confirmationHash, sealed));
}

/** As the real one, over the stand-in's digest. */
export function hashTranscript(transcript: ExchangeTranscript): Promise<Bytes> {
  return sha256(...transcriptParts(transcript));
}

/** As the real one, over the stand-in's digest. */
export function hashConfirmation(
  transcriptHash: Bytes,
  responderProof: Bytes,
  initiatorProof: Bytes,
  responderSignature: Bytes,
): Promise<Bytes> {
  return sha256(transcriptHash, responderProof, initiatorProof, responderSignature);
}
