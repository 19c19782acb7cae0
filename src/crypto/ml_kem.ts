/**
 * ML-KEM-768 (FIPS 203) as the platform has it: for the agreement of an exchange
 * (`exchange_agreement.ts`) and nothing else.
 *
 * The platform's limits: it takes no randomness but its own, neither for keys nor for encapsulation,
 * and throws on encapsulation keys with a coefficient over the modulus (§7.2).
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";

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

/** A fresh decapsulation key with its encapsulation key, 1,184 bytes. */
export async function createKem(): Promise<
  { readonly key: CryptoKey; readonly encapsulationKey: Bytes }
> {
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

/** The decapsulation key of a seed d 32 ‖ z 32 (FIPS 203 §6.1). */
export function importKem(seed: Bytes): Promise<CryptoKey> {
  return kemSubtle().importKey("raw-seed", seed, "ML-KEM-768", false, ["decapsulateBits"]);
}

/** A fresh secret, 32 bytes, and its ciphertext, 1,088 bytes. Rejects on a malformed key. */
export async function encapsulate(
  encapsulationKey: Bytes,
): Promise<{ readonly shared: Bytes; readonly ciphertext: Bytes }> {
  const subtle = kemSubtle();
  const key = await subtle.importKey("raw-public", encapsulationKey, "ML-KEM-768", false, [
    "encapsulateBits",
  ]);
  const { sharedKey, ciphertext } = await subtle.encapsulateBits("ML-KEM-768", key);
  return { shared: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
}

/**
 * The secret in the ciphertext, 32 bytes. One for another key gives a secret nobody else has
 * (FIPS 203 §6.3, implicit rejection).
 */
export async function decapsulate(key: CryptoKey, ciphertext: Bytes): Promise<Bytes> {
  return new Uint8Array(await kemSubtle().decapsulateBits("ML-KEM-768", key, ciphertext));
}
