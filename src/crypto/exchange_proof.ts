/**
 * Proving the cluster secret to the other side of an exchange: HMAC-SHA-256 (RFC 2104). PROTOCOL §4.
 *
 * @module
 */
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import type { ExchangeRole } from "./exchange_transcript.ts";

/** Role bytes in proofs: the ASCII of the role's name, 9 bytes either way. */
const roleBytes: Readonly<Record<ExchangeRole, Bytes>> = {
  initiator: utf8("initiator"),
  responder: utf8("responder"),
};

function importMacKey(secret: Bytes, usage: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [usage]);
}

/** HMAC-SHA-256, 32 bytes. */
export async function macOf(secret: Bytes, data: Bytes): Promise<Bytes> {
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
