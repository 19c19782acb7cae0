/**
 * What lies below the purposes of the exchange, for known-answer tests and the self test; nothing
 * else uses it. The rest of a known-answer test is in the purposes themselves: they are deterministic
 * but for `createInitiatorShares` and `agreeAsResponder`.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import type { InitiatorKeys } from "./exchange_agreement.ts";
import { macOf } from "./exchange_proof.ts";
import { hkdf } from "./exchange_seal.ts";
import { decapsulate, importKem } from "./ml_kem.ts";
import { deriveX25519, importX25519 } from "./x25519.ts";

/** What lies below the purposes. */
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
    return await decapsulate(await importKem(seed), ciphertext);
  },
  /** An initiator's keys of given private values: 32 bytes, and the seed d 32 ‖ z 32. */
  async initiatorKeys(x25519: Bytes, kemSeed: Bytes): Promise<InitiatorKeys> {
    return { x25519: await importX25519(x25519), kem: await importKem(kemSeed) };
  },
} as const;
