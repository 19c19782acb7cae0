/**
 * A stand-in for `src/crypto/mod.ts` in large simulated worlds, where real cryptography would take
 * nearly all of the time. The same names, the same lengths, the same failures for wrong keys and
 * changed bytes, at a hundredth of the cost.
 *
 * **It is not cryptography.** It hides nothing, and signatures and tags can be forged by whoever
 * cares to: its adversaries are those who change, replay, mix up and lie, not those who compute.
 * `tests/sim/stand_in_import_map.json` puts it in the place of the real module for the simulator;
 * nothing under `src/` can name it, and a test of the house sees to that.
 *
 * @module
 */
export type * from "../../../src/crypto/mod.ts";
export { datagramKnownAnswer, sameCookie } from "../../../src/crypto/datagram.ts";
export { exchangeKnownAnswer } from "../../../src/crypto/exchange_known_answer.ts";
export {
  exchangePurpose,
  initiatorClaim,
  responderClaim,
} from "../../../src/crypto/exchange_transcript.ts";
export { identityKnownAnswer, parsePublicKey, spkiOf } from "../../../src/crypto/identity_key.ts";
export {
  keyProtectionKnownAnswer,
  openKey,
  protectionOf,
  sealKey,
  secretFault,
} from "../../../src/crypto/key_protection.ts";
export { publicKeyLength, signatureLength } from "../../../src/wire/limits.ts";
export {
  cookieFor,
  derivePairKey,
  importEpochSecret,
  importSealKey,
  IslandKey,
  openDatagram,
  openTag,
  sealDatagram,
  unwrapHandle,
  wrapHandle,
} from "./datagram.ts";
export {
  administratorFingerprint,
  selfFingerprint,
  sha256,
  spanningFingerprint,
} from "./digest.ts";
export {
  agreeAsInitiator,
  agreeAsResponder,
  createInitiatorShares,
  deriveSealKey,
  hashConfirmation,
  hashTranscript,
  openOffer,
  proveClusterSecret,
  provesClusterSecret,
  sealOffer,
} from "./exchange.ts";
export {
  generateKey,
  importPrivateKey,
  nodeIdOf,
  privateKeyOfSeed,
  signCertificate,
  signCose,
  signRecord,
  signWith,
  verifyCose,
  verifyFrom,
  verifyRecordSignature,
  verifySignature,
} from "./signing.ts";
