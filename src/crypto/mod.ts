/**
 * Cryptography by purpose. The only folder that names `crypto.subtle`.
 *
 * @module
 */
export { type IslandClaim, IslandKey, openTag } from "./beacon.ts";
export { publicKeyLength, signatureLength } from "../wire/limits.ts";
export { sha256 } from "./digest.ts";
export { administratorFingerprint, selfFingerprint, spanningFingerprint } from "./fingerprint.ts";
export {
  generateKey,
  type IdentityKey,
  identityKnownAnswer,
  importPrivateKey,
  type NewKey,
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
export {
  keyProtectionKnownAnswer,
  type KeySecret,
  openKey,
  protectionOf,
  sealKey,
  secretFault,
} from "./key_protection.ts";
export {
  type CoseSignature,
  type CoseSigner,
  signRecord,
  verifyCose,
  verifyRecordSignature,
} from "./record.ts";
export {
  agreeAsInitiator,
  agreeAsResponder,
  createInitiatorShares,
  type ExchangeSecret,
  type InitiatorKeys,
  type InitiatorShares,
  type ResponderShares,
} from "./exchange_agreement.ts";
export { exchangeKnownAnswer } from "./exchange_known_answer.ts";
export { proveClusterSecret, provesClusterSecret } from "./exchange_proof.ts";
export { deriveSealKey, type ExchangeSealKey, openOffer, sealOffer } from "./exchange_seal.ts";
export {
  type ExchangeClaim,
  exchangePurpose,
  type ExchangeRole,
  type ExchangeTranscript,
  hashConfirmation,
  hashTranscript,
  initiatorClaim,
  responderClaim,
} from "./exchange_transcript.ts";
export {
  cookieFor,
  datagramKnownAnswer,
  derivePairKey,
  type EpochSecret,
  importEpochSecret,
  importSealKey,
  openDatagram,
  sameCookie,
  sealDatagram,
  type SealKey,
  unwrapHandle,
  wrapHandle,
} from "./datagram.ts";
