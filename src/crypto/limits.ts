/**
 * Limits and costs of the cryptography.
 *
 * @module
 */

/** Memory for a passphrase, KiB: the second recommended set of RFC 9106 §4 (64 MiB), about 0.15 s. */
export const argonMemoryKib = 65_536;
/** Passes over the memory: RFC 9106 §4. */
export const argonPasses = 3;
/** Lanes: RFC 9106 §4. */
export const argonLanes = 4;
/** Most memory a key file may ask for, KiB: a damaged one must not take the machine down. */
export const argonMemoryKibMax = 1_048_576;
/** Most passes a key file may ask for: some seconds at the most memory. */
export const argonPassesMax = 16;
/** Most lanes a key file may ask for. */
export const argonLanesMax = 16;
/** Shortest credential: it is stretched by nothing, so it must carry a key's worth of bits itself. */
export const credentialBytesMin = 32;
/** Longest protected key: the envelope of a 48-byte key has about 120 bytes. */
export const protectedKeyBytesMax = 1_024;
