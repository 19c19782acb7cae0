/**
 * X25519 (RFC 7748) as the platform has it: for the agreement of an exchange
 * (`exchange_agreement.ts`) and nothing else.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";

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

/** A fresh private key with its share, 32 bytes. */
export async function createX25519(): Promise<{ readonly key: CryptoKey; readonly share: Bytes }> {
  const pair = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  invariant("privateKey" in pair, "an X25519 key is a pair");
  return {
    key: pair.privateKey,
    share: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
  };
}

/** The private key of 32 given bytes. */
export function importX25519(privateKey: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "pkcs8",
    concatBytes(x25519Pkcs8Prefix, privateKey),
    { name: "X25519" },
    false,
    ["deriveBits"],
  );
}

/** The secret, 32 bytes. Rejects on a share of low order, whose result would be zero (RFC 7748 §6.1). */
export async function deriveX25519(key: CryptoKey, share: Bytes): Promise<Bytes> {
  const theirs = await crypto.subtle.importKey("raw", share, { name: "X25519" }, false, []);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, key, 256),
  );
}
