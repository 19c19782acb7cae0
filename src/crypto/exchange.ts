/**
 * The cryptography of the exchange that authenticates two nodes, by purpose: agree on a secret, hash
 * the transcript, prove the cluster secret, seal one message each way. PROTOCOL §4.
 *
 * The secret is X25519 (RFC 7748) and ML-KEM-768 (FIPS 203) together: it stays secret while either
 * of the two holds. HMAC-SHA-256 (RFC 2104), HKDF-SHA-256 (RFC 5869), AES-256-GCM (SP 800-38D).
 *
 * The platform's limits: it makes the ephemeral keys from the system's randomness and takes no
 * other (an exchange is not repeatable byte by byte), cannot encapsulate with given randomness, and
 * throws on low-order X25519 shares and on encapsulation keys with a coefficient over the modulus
 * (FIPS 203 §7.2). What it throws for a peer's bytes is a plain `undefined` here.
 *
 * Keys are not extractable, and joined secrets are wiped once they are keys; what the garbage
 * collector copied in between is beyond reach.
 *
 * @module
 */
import { type Bytes, concatBytes, encodeUint, utf8 } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import { sha256 } from "./digest.ts";

/** Which side of an exchange: who dialled, or who was dialled. */
export type ExchangeRole = "initiator" | "responder";

/** What an exchange over TLS hashes first; another kind of channel has another purpose. */
export const exchangePurpose = "mesh v1 exchange";

/** Role bytes in proofs: the ASCII of the role's name, 9 bytes either way. */
const roleBytes: Readonly<Record<ExchangeRole, Bytes>> = {
  initiator: utf8("initiator"),
  responder: utf8("responder"),
};
const sealLabels: Readonly<Record<ExchangeRole, Bytes>> = {
  initiator: utf8("mesh v1 seal initiator"),
  responder: utf8("mesh v1 seal responder"),
};
/** Each key seals a single message, so its nonce may be this one. */
const sealNonce = new Uint8Array(12);
const sealTagBits = 128;

/** The part of Web Crypto with ML-KEM, which TypeScript's library does not describe yet. */
interface KemSubtle {
  generateKey(
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKeyPair>;
  importKey(
    format: "raw-public" | "raw-seed",
    bytes: Uint8Array,
    algorithm: "ML-KEM-768",
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: "ML-KEM-768",
    key: CryptoKey,
  ): Promise<{ readonly sharedKey: ArrayBuffer; readonly ciphertext: ArrayBuffer }>;
  decapsulateBits(
    algorithm: "ML-KEM-768",
    key: CryptoKey,
    ciphertext: Uint8Array,
  ): Promise<ArrayBuffer>;
}

function hasKem(subtle: object): subtle is KemSubtle {
  return "encapsulateBits" in subtle && "decapsulateBits" in subtle;
}

function kemSubtle(): KemSubtle {
  const subtle: object = crypto.subtle;
  invariant(hasKem(subtle), "the platform's Web Crypto has ML-KEM");
  return subtle;
}

/** The initiator's two private keys, for one exchange. */
export interface InitiatorKeys {
  readonly x25519: CryptoKey;
  readonly kem: CryptoKey;
}

/** The initiator's private keys with what it sends of them. */
export interface InitiatorShares {
  readonly keys: InitiatorKeys;
  /** X25519 share, 32 bytes. */
  readonly share: Bytes;
  /** ML-KEM-768 encapsulation key, 1,184 bytes. */
  readonly encapsulationKey: Bytes;
}

/** What both sides of an exchange, and nobody else, know: x25519 32 ‖ kem 32, as an HKDF key. */
export interface ExchangeSecret {
  readonly key: CryptoKey;
}

/** The responder's side of the agreement. */
export interface ResponderShares {
  /** X25519 share, 32 bytes. */
  readonly share: Bytes;
  /** ML-KEM-768 ciphertext, 1,088 bytes. */
  readonly ciphertext: Bytes;
  readonly secret: ExchangeSecret;
}

async function createX25519(): Promise<{ readonly key: CryptoKey; readonly share: Bytes }> {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  invariant("privateKey" in pair, "an X25519 key is a pair");
  return {
    key: pair.privateKey,
    share: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
  };
}

async function createKem(): Promise<{ readonly key: CryptoKey; readonly encapsulationKey: Bytes }> {
  const subtle = kemSubtle();
  const pair = await subtle.generateKey("ML-KEM-768", false, [
    "encapsulateBits",
    "decapsulateBits",
  ]);
  return {
    key: pair.privateKey,
    encapsulationKey: new Uint8Array(await subtle.exportKey("raw-public", pair.publicKey)),
  };
}

/** Rejects on a share of low order, whose result would be zero (RFC 7748 §6.1). */
async function deriveX25519(key: CryptoKey, share: Bytes): Promise<Bytes> {
  const theirs = await crypto.subtle.importKey("raw", share, { name: "X25519" }, false, []);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, key, 256),
  );
}

/** Joins the two results; both are wiped. */
async function joinSecrets(x25519: Bytes, kem: Bytes): Promise<ExchangeSecret> {
  const joined = concatBytes(x25519, kem);
  try {
    return { key: await crypto.subtle.importKey("raw", joined, "HKDF", false, ["deriveKey"]) };
  } finally {
    joined.fill(0);
    x25519.fill(0);
    kem.fill(0);
  }
}

/** Fresh keys for one exchange. */
export async function createInitiatorShares(): Promise<InitiatorShares> {
  const [x25519, kem] = await Promise.all([createX25519(), createKem()]);
  return {
    keys: { x25519: x25519.key, kem: kem.key },
    share: x25519.share,
    encapsulationKey: kem.encapsulationKey,
  };
}

/**
 * The responder's agreement with what m1 brought: fresh X25519 key, fresh encapsulation.
 *
 * @returns `undefined` if the share is of low order or the encapsulation key is malformed.
 */
export async function agreeAsResponder(
  share: Bytes,
  encapsulationKey: Bytes,
): Promise<ResponderShares | undefined> {
  try {
    const subtle = kemSubtle();
    const own = await createX25519();
    const x25519 = await deriveX25519(own.key, share);
    const kemKey = await subtle.importKey("raw-public", encapsulationKey, "ML-KEM-768", false, [
      "encapsulateBits",
    ]);
    const kem = await subtle.encapsulateBits("ML-KEM-768", kemKey);
    return {
      share: own.share,
      ciphertext: new Uint8Array(kem.ciphertext),
      secret: await joinSecrets(x25519, new Uint8Array(kem.sharedKey)),
    };
  } catch {
    // The platform throws at unfit shares and keys; which of the two it was is nobody's business.
    return undefined;
  }
}

/**
 * The initiator's agreement with what m2 brought.
 *
 * @returns `undefined` if the share is of low order. A ciphertext for another key gives a secret
 * nobody else has (FIPS 203 §6.3, implicit rejection), under which no seal opens.
 */
export async function agreeAsInitiator(
  keys: InitiatorKeys,
  share: Bytes,
  ciphertext: Bytes,
): Promise<ExchangeSecret | undefined> {
  try {
    const [x25519, kem] = await Promise.all([
      deriveX25519(keys.x25519, share),
      kemSubtle().decapsulateBits("ML-KEM-768", keys.kem, ciphertext),
    ]);
    return await joinSecrets(x25519, new Uint8Array(kem));
  } catch {
    // As above.
    return undefined;
  }
}

/** All that an exchange stands on. */
export interface ExchangeTranscript {
  /** What kind of exchange this is, ASCII. */
  readonly purpose: string;
  /** All bytes of m1 as they travelled. */
  readonly m1: Bytes;
  /** The bytes of m2 before the proof as they travelled: the contents of its head. */
  readonly head: Bytes;
  /** The initiator's node id, 32 bytes. */
  readonly initiator: Bytes;
  /** The responder's node id, 32 bytes. */
  readonly responder: Bytes;
  /** SHA-256 of the initiator's TLS leaf, DER: own, or as it was received. */
  readonly initiatorLeaf: Bytes;
  /** SHA-256 of the responder's TLS leaf, DER: own, or as it was received. */
  readonly responderLeaf: Bytes;
  /** Kind of the channel binding, 0 to 255. */
  readonly bindingKind: number;
  /** The client's value of the binding. */
  readonly clientBinding: Bytes;
  /** The server's value of the binding. */
  readonly serverBinding: Bytes;
}

/**
 * T = SHA-256 over ten parts, each preceded by its length as four bytes, big-endian: purpose, m1,
 * head of m2, id I, id R, leaf hash I, leaf hash R, binding kind (one byte), client's binding,
 * server's binding.
 */
export function hashTranscript(transcript: ExchangeTranscript): Promise<Bytes> {
  const parts = [
    utf8(transcript.purpose),
    transcript.m1,
    transcript.head,
    transcript.initiator,
    transcript.responder,
    transcript.initiatorLeaf,
    transcript.responderLeaf,
    encodeUint(transcript.bindingKind, 1),
    transcript.clientBinding,
    transcript.serverBinding,
  ];
  return sha256(...parts.flatMap((part) => [encodeUint(part.length, 4), part]));
}

/** A thing to sign: the label and the data under it. */
export interface ExchangeClaim {
  readonly label: string;
  readonly data: Bytes;
}

/** What the responder signs: `T 32 ‖ its proof 32` under "mesh v1 exchange responder". */
export function responderClaim(transcriptHash: Bytes, proof: Bytes): ExchangeClaim {
  return { label: "mesh v1 exchange responder", data: concatBytes(transcriptHash, proof) };
}

/** What the initiator signs: T2 alone, 32 bytes, under "mesh v1 exchange initiator". */
export function initiatorClaim(confirmationHash: Bytes): ExchangeClaim {
  return { label: "mesh v1 exchange initiator", data: confirmationHash };
}

/**
 * T2 = SHA-256(T 32 ‖ responder's proof 32 ‖ initiator's proof 32 ‖ sigR 64): the order in which
 * they were said. All lengths are fixed, so none is written.
 */
export function hashConfirmation(
  transcriptHash: Bytes,
  responderProof: Bytes,
  initiatorProof: Bytes,
  responderSignature: Bytes,
): Promise<Bytes> {
  return sha256(transcriptHash, responderProof, initiatorProof, responderSignature);
}

function importMacKey(secret: Bytes, usage: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

async function macOf(secret: Bytes, data: Bytes): Promise<Bytes> {
  return new Uint8Array(
    await crypto.subtle.sign("HMAC", await importMacKey(secret, "sign"), data),
  );
}

/** proof = HMAC-SHA-256(cluster secret, T 32 ‖ the prover's role, 9 bytes of ASCII). */
export function proveClusterSecret(
  clusterSecret: Bytes,
  transcriptHash: Bytes,
  prover: ExchangeRole,
): Promise<Bytes> {
  return macOf(clusterSecret, concatBytes(transcriptHash, roleBytes[prover]));
}

/** Whether the proof is right, compared in constant time. */
export async function provesClusterSecret(
  clusterSecret: Bytes,
  transcriptHash: Bytes,
  prover: ExchangeRole,
  proof: Bytes,
): Promise<boolean> {
  return await crypto.subtle.verify(
    "HMAC",
    await importMacKey(clusterSecret, "verify"),
    proof,
    concatBytes(transcriptHash, roleBytes[prover]),
  );
}

function hkdf(salt: Bytes, info: Bytes): HkdfParams {
  return { name: "HKDF", hash: "SHA-256", salt, info };
}

/** The sealing key of one side of one exchange: it seals one message and opens that one. */
export interface ExchangeSealKey {
  readonly key: CryptoKey;
  readonly confirmationHash: Bytes;
}

/**
 * k_I or k_R: PRK = HKDF-Extract(salt T, x25519 ‖ kem), then 32 bytes of HKDF-Expand with info =
 * "mesh v1 seal initiator" or "mesh v1 seal responder" (22 bytes of ASCII) ‖ T2.
 *
 * @param sealer The side that seals with this key; the other one opens.
 */
export async function deriveSealKey(
  secret: ExchangeSecret,
  transcriptHash: Bytes,
  confirmationHash: Bytes,
  sealer: ExchangeRole,
): Promise<ExchangeSealKey> {
  const key = await crypto.subtle.deriveKey(
    hkdf(transcriptHash, concatBytes(sealLabels[sealer], confirmationHash)),
    secret.key,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  return { key, confirmationHash };
}

function sealParameters(confirmationHash: Bytes): AesGcmParams {
  return {
    name: "AES-GCM",
    iv: sealNonce,
    additionalData: confirmationHash,
    tagLength: sealTagBits,
  };
}

/** AES-256-GCM with a nonce of twelve zero bytes and T2 as associated data; 16 bytes longer. */
export async function sealOffer(seal: ExchangeSealKey, plaintext: Bytes): Promise<Bytes> {
  return new Uint8Array(
    await crypto.subtle.encrypt(sealParameters(seal.confirmationHash), seal.key, plaintext),
  );
}

/** Opens what the other side sealed; `undefined` if it is not that. */
export async function openOffer(seal: ExchangeSealKey, sealed: Bytes): Promise<Bytes | undefined> {
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(sealParameters(seal.confirmationHash), seal.key, sealed),
    );
  } catch {
    // A wrong tag is thrown by the platform; for us it is an answer.
    return undefined;
  }
}

/** PKCS#8 before the 32 private bytes of an X25519 key (RFC 8410 §7). */
const x25519Pkcs8Prefix = new Uint8Array([
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x6e,
  0x04,
  0x22,
  0x04,
  0x20,
]);

/**
 * What lies below the purposes, for known-answer tests and the self test; nothing else uses it. The
 * rest of a known-answer test is in the functions above: they are deterministic but for
 * `createInitiatorShares` and `agreeAsResponder`.
 */
export const exchangeKnownAnswer = {
  /** HMAC-SHA-256 as the proofs use it. */
  mac: macOf,
  /** HKDF-SHA-256 as the seals use it, `length` bytes. */
  async expand(secret: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
    const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
    return new Uint8Array(await crypto.subtle.deriveBits(hkdf(salt, info), key, length * 8));
  },
  /** X25519 as the agreement uses it; rejects on a low-order share. */
  async x25519(privateKey: Bytes, share: Bytes): Promise<Bytes> {
    return await deriveX25519(await importX25519(privateKey), share);
  },
  /** ML-KEM-768 decapsulation as the agreement uses it; `seed` is d 32 ‖ z 32 (FIPS 203 §6.1). */
  async decapsulate(seed: Bytes, ciphertext: Bytes): Promise<Bytes> {
    const subtle = kemSubtle();
    return new Uint8Array(
      await subtle.decapsulateBits("ML-KEM-768", await importKem(seed), ciphertext),
    );
  },
  /** An initiator's keys of given private values: 32 bytes, and the seed d 32 ‖ z 32. */
  async initiatorKeys(x25519: Bytes, kemSeed: Bytes): Promise<InitiatorKeys> {
    return { x25519: await importX25519(x25519), kem: await importKem(kemSeed) };
  },
} as const;

function importX25519(privateKey: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "pkcs8",
    concatBytes(x25519Pkcs8Prefix, privateKey),
    { name: "X25519" },
    false,
    ["deriveBits"],
  );
}

function importKem(seed: Bytes): Promise<CryptoKey> {
  return kemSubtle().importKey("raw-seed", seed, "ML-KEM-768", false, ["decapsulateBits"]);
}
