/**
 * What datagrams need of cryptography: the handle, the key of a pair, the seal, the cookie.
 * PROTOCOL §5.
 *
 * The platform's limits: AES Key Wrap wraps keys, not bytes, so the 16 bytes of an id travel as an
 * HMAC key; a failed check is an exception, turned into `undefined` here; several calls in flight
 * finish in any order, so nothing here keeps state and callers re-check theirs after each await.
 *
 * @module
 */
import { type Bytes, concatBytes, encodeUint, utf8 } from "../base/bytes.ts";
import { type IpAddress, ipToMappedBytes } from "../base/ip.ts";
import { cookieLength } from "../wire/datagram.ts";
import { pairKeyLength } from "../wire/grant.ts";

/** Secret of one epoch, in the three forms in which it is used. None can be exported. */
export interface EpochSecret {
  readonly handleKey: CryptoKey;
  readonly derivation: CryptoKey;
  readonly cookieKey: CryptoKey;
}

/** A key that seals or opens datagrams in one direction; cannot be exported. */
export interface SealKey {
  readonly sealKey: CryptoKey;
}

const pairLabel = utf8("mesh v1 datagram");
const handleLabel = utf8("mesh v1 handle");
const cookieLabel = utf8("cookie");
const noSalt: Bytes = new Uint8Array(0);
const hmacSha256 = { name: "HMAC", hash: "SHA-256" } as const;

async function expand(derivation: CryptoKey, info: Bytes): Promise<Bytes> {
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: noSalt, info };
  return new Uint8Array(
    await crypto.subtle.deriveBits(algorithm, derivation, pairKeyLength * 8),
  );
}

/**
 * Takes an epoch's secret, 32 random bytes. The key that wraps handles is
 * HKDF-SHA-256(secret, no salt, "mesh v1 handle"), 32 bytes.
 */
export async function importEpochSecret(secret: Bytes): Promise<EpochSecret> {
  const [derivation, cookieKey] = await Promise.all([
    crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]),
    crypto.subtle.importKey("raw", secret, hmacSha256, false, ["sign"]),
  ]);
  const handleKey = await importHandleKey(await expand(derivation, handleLabel));
  return { handleKey, derivation, cookieKey };
}

function importHandleKey(key: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key, "AES-KW", false, ["wrapKey", "unwrapKey"]);
}

/** Wraps the first 16 bytes of a peer's id (RFC 3394, 256-bit key): 24 bytes, the same each time. */
export async function wrapHandle(
  secret: Pick<EpochSecret, "handleKey">,
  peerPrefix: Bytes,
): Promise<Bytes> {
  const carrier = await crypto.subtle.importKey("raw", peerPrefix, hmacSha256, true, ["sign"]);
  return new Uint8Array(
    await crypto.subtle.wrapKey("raw", carrier, secret.handleKey, "AES-KW"),
  );
}

/** The 16 bytes in a handle of 24, or `undefined` if this epoch did not make it. */
export async function unwrapHandle(
  secret: Pick<EpochSecret, "handleKey">,
  handle: Bytes,
): Promise<Bytes | undefined> {
  try {
    const carrier = await crypto.subtle.unwrapKey(
      "raw",
      handle,
      secret.handleKey,
      "AES-KW",
      hmacSha256,
      true,
      ["sign"],
    );
    return new Uint8Array(await crypto.subtle.exportKey("raw", carrier));
  } catch {
    // The platform's only way to say that the integrity check of RFC 3394 failed.
    return undefined;
  }
}

/**
 * K(peer → answerer) = HKDF-SHA-256(epoch secret, no salt, "mesh v1 datagram" ‖ first 16 bytes of
 * the peer's id ‖ 32 bytes of the answerer's id), 32 bytes: to travel to the peer.
 */
export function derivePairKey(
  secret: EpochSecret,
  peerPrefix: Bytes,
  answererId: Bytes,
): Promise<Bytes> {
  return expand(secret.derivation, concatBytes(pairLabel, peerPrefix, answererId));
}

/** Takes the 32 bytes of a pair's key or of a reply key. */
export async function importSealKey(key: Bytes): Promise<SealKey> {
  const usages: KeyUsage[] = ["encrypt", "decrypt"];
  return { sealKey: await crypto.subtle.importKey("raw", key, "AES-GCM", false, usages) };
}

/**
 * Seals a datagram: the header in the clear, then AES-256-GCM of the body (body + 16 bytes) with the
 * header as associated data. The nonce, 12 bytes, is random and new for every call.
 */
export async function sealDatagram(
  key: SealKey,
  nonce: Bytes,
  header: Bytes,
  body: Bytes,
): Promise<Bytes> {
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: header };
  const sealed = await crypto.subtle.encrypt(algorithm, key.sealKey, body);
  const datagram = new Uint8Array(header.length + sealed.byteLength);
  datagram.set(header, 0);
  datagram.set(new Uint8Array(sealed), header.length);
  return datagram;
}

/** Opens the sealed part of a datagram, or `undefined` if it or the header is not what was sealed. */
export async function openDatagram(
  key: SealKey,
  nonce: Bytes,
  header: Bytes,
  sealed: Bytes,
): Promise<Bytes | undefined> {
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: header };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key.sealKey, sealed));
  } catch {
    // The platform's only way to say that the tag is wrong.
    return undefined;
  }
}

/**
 * Cookie = HMAC-SHA-256(epoch secret, "cookie" ‖ handle 24 ‖ interface name in UTF-8 ‖ address as 16
 * bytes, IPv4 mapped (RFC 4291 §2.5.5.2) ‖ port 2), cut to 16 bytes. Only the name varies in length
 * and it stands between fixed parts, so two inputs are never the same bytes.
 */
export async function cookieFor(
  secret: EpochSecret,
  handle: Bytes,
  interfaceName: string,
  ip: IpAddress,
  port: number,
): Promise<Bytes> {
  const place = concatBytes(
    cookieLabel,
    handle,
    utf8(interfaceName),
    ipToMappedBytes(ip),
    encodeUint(port, 2),
  );
  const mac = await crypto.subtle.sign("HMAC", secret.cookieKey, place);
  return new Uint8Array(mac, 0, cookieLength);
}

/** Whether the two cookies are equal, in a time that does not tell where they differ. */
export function sameCookie(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** What lies below the purposes, for known-answer tests and the self test; nothing else uses it. */
export const datagramKnownAnswer = {
  /** A key of 32 given bytes for `wrapHandle` and `unwrapHandle` (RFC 3394). */
  async handleKey(key: Bytes): Promise<Pick<EpochSecret, "handleKey">> {
    return { handleKey: await importHandleKey(key) };
  },
} as const;
