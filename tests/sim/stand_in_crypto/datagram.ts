/**
 * The stand-in's datagrams and beacons: handles, pair keys, seals, cookies and marks of their real
 * lengths, made by mixing. NOT SECURE.
 *
 * @module
 */
import { type Bytes, concatBytes, encodeUint, utf8 } from "../../../src/base/bytes.ts";
import { type IpAddress, ipToMappedBytes } from "../../../src/base/ip.ts";
import type { IslandClaim } from "../../../src/crypto/beacon.ts";
import type { EpochSecret, SealKey } from "../../../src/crypto/datagram.ts";
import { beaconTagLength, idFormNumber, islandMarkLength } from "../../../src/wire/beacon.ts";
import { cookieLength } from "../../../src/wire/datagram.ts";
import { pairKeyLength } from "../../../src/wire/grant.ts";
import { bytesOf, mixed, mixedParts, StandInKey } from "./mixing.ts";
import { openMixed, sealMixed } from "./sealing.ts";

const handleKey = 0x50;
const handlePad = 0x51;
const handleCheck = 0x52;
const pairKey = 0x53;
const cookie = 0x54;
const islandMark = 0x55;
const tag = 0x56;

const handleCheckLength = 8;

/** Takes an epoch's secret. NOT SECURE. */
export function importEpochSecret(secret: Bytes): Promise<EpochSecret> {
  const key = new StandInKey(secret);
  return Promise.resolve({
    handleKey: new StandInKey(mixed(handleKey, secret, 32)),
    derivation: key,
    cookieKey: key,
  });
}

function flipped(secret: Pick<EpochSecret, "handleKey">, prefix: Uint8Array): Bytes {
  const pad = mixed(handlePad, bytesOf(secret.handleKey), prefix.length);
  for (let i = 0; i < pad.length; i++) pad[i] = (pad[i] ?? 0) ^ (prefix[i] ?? 0);
  return pad;
}

function checkOf(secret: Pick<EpochSecret, "handleKey">, prefix: Uint8Array): Bytes {
  return mixedParts(handleCheck, handleCheckLength, bytesOf(secret.handleKey), prefix);
}

/** 24 bytes, the same each time. NOT SECURE. */
export function wrapHandle(
  secret: Pick<EpochSecret, "handleKey">,
  peerPrefix: Bytes,
): Promise<Bytes> {
  return Promise.resolve(concatBytes(flipped(secret, peerPrefix), checkOf(secret, peerPrefix)));
}

/** The 16 bytes in a handle of 24, or `undefined` if this epoch did not make it. */
export function unwrapHandle(
  secret: Pick<EpochSecret, "handleKey">,
  handle: Bytes,
): Promise<Bytes | undefined> {
  const end = handle.length - handleCheckLength;
  if (end < 0) return Promise.resolve(undefined);
  const prefix = flipped(secret, handle.subarray(0, end));
  const check = checkOf(secret, prefix);
  for (let i = 0; i < handleCheckLength; i++) {
    if (check[i] !== handle[end + i]) return Promise.resolve(undefined);
  }
  return Promise.resolve(prefix);
}

/** K(peer → answerer), 32 bytes. NOT SECURE. */
export function derivePairKey(
  secret: EpochSecret,
  peerPrefix: Bytes,
  answererId: Bytes,
): Promise<Bytes> {
  const key = bytesOf(secret.derivation);
  return Promise.resolve(mixedParts(pairKey, pairKeyLength, key, peerPrefix, answererId));
}

/** Takes the 32 bytes of a key. */
export function importSealKey(key: Bytes): Promise<SealKey> {
  return Promise.resolve({ sealKey: new StandInKey(key) });
}

/** header ‖ body ‖ 16 bytes: the body lies open. NOT SECURE. */
export function sealDatagram(
  key: SealKey,
  _nonce: Bytes,
  header: Bytes,
  body: Bytes,
): Promise<Bytes> {
  return Promise.resolve(sealMixed(bytesOf(key.sealKey), header, header, body));
}

/** The body, or `undefined` if it or the header (in which the nonce stands) is not what was sealed. */
export function openDatagram(
  key: SealKey,
  _nonce: Bytes,
  header: Bytes,
  sealed: Bytes,
): Promise<Bytes | undefined> {
  return Promise.resolve(openMixed(bytesOf(key.sealKey), header, sealed));
}

/** 16 bytes of the epoch, the handle and the place. NOT SECURE. */
export function cookieFor(
  secret: EpochSecret,
  handle: Bytes,
  interfaceName: string,
  ip: IpAddress,
  port: number,
): Promise<Bytes> {
  const place = [handle, utf8(interfaceName), ipToMappedBytes(ip), encodeUint(port, 2)];
  return Promise.resolve(mixedParts(cookie, cookieLength, bytesOf(secret.cookieKey), ...place));
}

/** The tag of every open mesh. */
export function openTag(): Promise<Bytes> {
  return Promise.resolve(mixed(tag, utf8("mesh v1 open tag"), beaconTagLength));
}

/** The key under which islands are marked. NOT SECURE. */
export class IslandKey {
  readonly #key: Bytes;

  private constructor(key: Bytes) {
    this.#key = key;
  }

  /** The key of every open mesh. */
  static open(): Promise<IslandKey> {
    return IslandKey.ofCluster(utf8("mesh v1 open"));
  }

  /** The key of a cluster. */
  static ofCluster(secret: Bytes): Promise<IslandKey> {
    return Promise.resolve(new IslandKey(secret));
  }

  /** The mark, 16 bytes. NOT SECURE. */
  mark(claim: IslandClaim): Promise<Bytes> {
    const hour = encodeUint(claim.hour, 8);
    const form = Uint8Array.of(idFormNumber(claim.idForm));
    const parts = [this.#key, claim.smallestId, hour, form, claim.id];
    return Promise.resolve(mixedParts(islandMark, islandMarkLength, ...parts));
  }
}
