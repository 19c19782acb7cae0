/**
 * The secret of an exchange: X25519 (RFC 7748) and ML-KEM-768 (FIPS 203) together, so that it stays
 * secret while either of the two holds. PROTOCOL §4.
 *
 * The platform makes the ephemeral keys from the system's randomness and takes no other: an exchange
 * is not repeatable byte by byte. What it throws for a peer's bytes is a plain `undefined` here.
 *
 * Keys are not extractable, and joined secrets are wiped once they are keys; what the garbage
 * collector copied in between is beyond reach.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../base/bytes.ts";
import { createKem, decapsulate, encapsulate } from "./ml_kem.ts";
import { createX25519, deriveX25519 } from "./x25519.ts";

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
    const own = await createX25519();
    const x25519 = await deriveX25519(own.key, share);
    const { shared, ciphertext } = await encapsulate(encapsulationKey);
    return { share: own.share, ciphertext, secret: await joinSecrets(x25519, shared) };
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
      decapsulate(keys.kem, ciphertext),
    ]);
    return await joinSecrets(x25519, kem);
  } catch {
    // As above.
    return undefined;
  }
}
