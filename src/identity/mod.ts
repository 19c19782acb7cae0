/**
 * Who a node is and whom a peer's certificates name: keys, certificates, the judge of chains.
 *
 * @module
 */
export { ChainRefusal, isChainRefusal, judgeChain, type JudgedPeer } from "./chain.ts";
export {
  type DuplicateEffect,
  type DuplicateSnapshot,
  DuplicateWatch,
  type OwnRecord,
} from "./duplicate.ts";
export {
  type Identity,
  identityOfSeed,
  isIdentityProblem,
  type LeafCredentials,
  loadOrCreateIdentity,
  newIdentity,
} from "./identity.ts";
export {
  IdentityProblem,
  inspectKeyFile,
  keyFileName,
  type KeyProtection,
  type KeySecrets,
  protectKeyFile,
  resetKeyFile,
} from "./key_file.ts";
export type { KeySecret } from "../crypto/mod.ts";
