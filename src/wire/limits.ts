/**
 * Limits of the byte formats, each with its reason. Relations between them are asserted in
 * `limits_test.ts` and beside the formats. Each message family has its own section.
 *
 * @module
 */

// Keys and signatures.

/** Bytes of a raw Ed25519 public key (RFC 8032 §5.1.5). */
export const publicKeyLength = 32;
/** Bytes of an Ed25519 signature (RFC 8032 §5.1.6). */
export const signatureLength = 64;

// Records.

/** Most bytes in a record: one with its message around it still fits one sealed datagram. */
export const recordBytesMax = 1_000;
/** Most bytes of a record's subject: an id, or a document kind with its counter. */
export const subjectBytesMax = 32;
/** Bytes of a record's hash in an offer: 128 bits, so that no two versions are ever confused. */
export const offerHashLength = 16;
/** Bytes of a boot nonce, drawn at each start. */
export const bootNonceLength = 16;
/** Most bytes of a node's name: a host name label has 63. */
export const nameBytesMax = 64;
/** Most own endpoints in `info`: more addresses than that help nobody to dial. */
export const endpointsMax = 12;
/** Most observed endpoints in `info`: what peers outside see of a node behind NAT. */
export const observedEndpointsMax = 4;
/** Own endpoints that labels may not push out of an `info` that is too big. */
export const endpointsKeptMin = 4;
/** Most capabilities in `info`. */
export const capabilitiesMax = 32;
/** Highest number of a capability, so that one takes at most three bytes. */
export const capabilityNumberMax = 65_535;
/** Most labels in `info`. */
export const labelsMax = 16;
/** Most bytes of a label's key, and of its value. */
export const labelBytesMax = 64;
/** Most bytes of a version's text: `1.2.3-rc.4+0123456789` and some. */
export const versionBytesMax = 32;
/** Most bytes of a target triple: the longest in use have some 30. */
export const targetBytesMax = 48;
/** Most bytes of an operating system's name and of an architecture's. */
export const platformBytesMax = 32;
/** Most bytes of the word for an update's state. */
export const updateStateBytesMax = 32;
/** Most bytes of an update's reason: one line for a person. */
export const updateReasonBytesMax = 128;
/** Most neighbours in `links`: as many as a node may hold. */
export const linksMax = 32;
/** Highest exponent of a link's cost: 2¹⁵ ms, more than half a minute, is as good as no link. */
export const linkCostExponentMax = 15;
/** Most neighbours named as lost in `links`. */
export const lostMax = 4;

// Messages.

/** Bytes of a fingerprint and of a digest: 128 bits of SHA-256. */
export const fingerprintLength = 16;
/** Bytes of an exchange's hash: SHA-256. */
export const exchangeHashLength = 32;
/** Most bytes of a message: an HTTPS body; a datagram bounds its own further. */
export const messageBytesMax = 16_384;
/** Most bytes of a message in an answer that may carry the next epoch: 1,232 − 55 − 64, rounded down. */
export const answerMessageMax = 1_100;
/** Most kind ranges named: the self and the administrator kinds, and room for gaps. */
export const kindRangesMax = 8;
/** Most key ranges in one comparison: as many as a datagram could hold with the shortest bounds. */
export const compareRangesMax = 64;
/** Most parts into which one range is split in an answer. */
export const splitPartsMax = 64;
/** Most records that a comparison may claim to be held: above any store, and five bytes at most. */
export const heldMax = 0xffff_ffff;
/** Most offers, keys or records in one list: a datagram holds fewer than twenty offers. */
export const messageItemsMax = 512;

/**
 * Most bytes of a datagram that is sent on for somebody: a sealed ping has 128, its answer fewer, so
 * there is room for a later one, and none for using helpers as a way to somewhere.
 */
export const relayedBytesMax = 256;

// Records in bulk over HTTPS.

/** Most key ranges in one request for records: the rest is asked when these are done. */
export const bulkRangesMax = 64;
/**
 * Most bytes of a page of records: 500 records of the usual 500 bytes, whose verification takes
 * some 20 ms and whose sending over a slow line of 1 Mbit/s two seconds.
 */
export const bulkPageBytesMax = 262_144;
/** Fewest bytes of a page that may be asked for: at least half of it are records. */
export const bulkPageBytesMin = 4_096;
/** Most records in a page: no record of ours is under 130 bytes, so bytes bound it earlier. */
export const bulkPageRecordsMax = 2_048;
/** Most bytes of a request for records: 64 ranges with the longest bounds. */
export const bulkRequestBytesMax = 9_216;
