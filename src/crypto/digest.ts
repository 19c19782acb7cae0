/**
 * SHA-256 (FIPS 180-4), the one hash of the protocol.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../base/bytes.ts";

/** SHA-256 over the parts joined, 32 bytes. Parts are not length-prefixed: callers frame them. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concatBytes(...parts)));
}
