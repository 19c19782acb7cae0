/**
 * Cryptography by purpose. The only folder that names `crypto.subtle`.
 *
 * @module
 */
export { type IslandClaim, IslandKey, openTag } from "./beacon.ts";
export { sha256 } from "./digest.ts";
export { administratorFingerprint, selfFingerprint, spanningFingerprint } from "./fingerprint.ts";
export {
  generateKey,
  type IdentityKey,
  identityKnownAnswer,
  importPrivateKey,
  importPublicKey,
  type NewKey,
  nodeIdOf,
  parsePublicKey,
  privateKeyOfSeed,
  type PublicKey,
  publicKeyLength,
  signatureLength,
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
  deriveSealKey,
  type ExchangeClaim,
  exchangeKnownAnswer,
  exchangePurpose,
  type ExchangeRole,
  type ExchangeSealKey,
  type ExchangeSecret,
  type ExchangeTranscript,
  hashConfirmation,
  hashTranscript,
  initiatorClaim,
  type InitiatorKeys,
  type InitiatorShares,
  openOffer,
  proveClusterSecret,
  provesClusterSecret,
  responderClaim,
  type ResponderShares,
  sealOffer,
} from "./exchange.ts";
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
