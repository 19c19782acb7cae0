/**
 * Limits of identities.
 *
 * @module
 */
import { milliseconds } from "../base/instant.ts";

/** Longest certificate judged: ours have about 300 bytes, 4 KiB is a packet or three. */
export const certificateBytesMax = 4_096;
/** Deepest nesting in DER: a certificate of the profile goes to six. */
export const derDepthMax = 8;
/** Longest serial number: RFC 5280 §4.1.2.2. */
export const serialNumberBytesMax = 20;
/** Longest common name: RFC 5280 ub-common-name. A node id has 52 characters. */
export const commonNameBytesMax = 64;
/** Bytes in a key identifier: SHA-1's length, whatever method made it (RFC 5280 §4.2.1.2). */
export const keyIdentifierBytes = 20;
/** Longest key file: a protected key is at most 1 KiB, a third more as base64. */
export const keyFileBytesMax = 4_096;
/** How old a serial must be before an own record above it tells of a second node: gossip settles. */
export const duplicateSettle = milliseconds(10_000);
/** Foreign boot nonces kept, each reported once: a handful of clones is a handful of restarts. */
export const foreignNoncesMax = 64;
