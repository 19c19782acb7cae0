/**
 * Sealing the one message that each side of an exchange shows the other: HKDF-SHA-256 (RFC 5869),
 * AES-256-GCM (SP 800-38D). PROTOCOL §4.
 *
 * @module
 */
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import type { ExchangeSecret } from "./exchange_agreement.ts";
import type { ExchangeRole } from "./exchange_transcript.ts";

const sealLabels: Readonly<Record<ExchangeRole, Bytes>> = {
  initiator: utf8("mesh v1 seal initiator"),
  responder: utf8("mesh v1 seal responder"),
};
/** Each key seals a single message, so its nonce may be this one. */
const sealNonce = new Uint8Array(12);
const sealTagBits = 128;

/** HKDF-SHA-256 of these values. */
export function hkdf(salt: Bytes, info: Bytes): HkdfParams {
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
