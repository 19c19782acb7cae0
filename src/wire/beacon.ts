/**
 * The beacon: the one datagram that is sent to a multicast group. It proposes an address, nothing
 * else: whoever hears it may dial there, and only the exchange says who answers. PROTOCOL §9.1.
 *
 * | bytes | field |
 * |---|---|
 * | 4 | "mesh" |
 * | 1 | version, 1 |
 * | 1 | flags: bit 0 solicitation; the others are sent as 0 and ignored |
 * | 16 | tag: which mesh this is for (`crypto/beacon.ts`) |
 * | 1 | id form: 0 plain, 1 blinded |
 * | 32 | node id, or its blinded form |
 * | 2 | TCP and UDP port of the node, 1 to 65,535 |
 * | 16 | island mark (`crypto/beacon.ts`) |
 *
 * Integers are big-endian. What follows the 73 bytes, up to 200 in all, is for later versions of the
 * same format and ignored.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes, encodeUint, equalBytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";

/** UDP port of the beacon groups, shared by all nodes of a machine. */
export const beaconPort = 7410;
/** IPv6 group ("MESH" in ASCII), link-local scope: hop limit 1, one socket per interface. */
export const beaconGroupIpv6 = "ff02::4d45:5348";
/** IPv4 group (administratively scoped, RFC 2365; "MES"), TTL 1. */
export const beaconGroupIpv4 = "239.77.69.83";
/** Bytes in a beacon of this version. */
export const beaconBytesLength = 73;
/** Most bytes accepted, the tail of later versions included. */
export const beaconBytesMax = 200;
/** Bytes in a tag. */
export const beaconTagLength = 16;
/** Bytes in an island mark. */
export const islandMarkLength = 16;

/** How the beacon names its sender: by the node id, or by a form only members can resolve. */
export type BeaconIdForm = "plain" | "blinded";

/** What a beacon says. Nothing of it is proven. */
export interface Beacon {
  /** The sender has no link and asks to be dialled. */
  readonly solicitation: boolean;
  /** 16 bytes: which mesh the beacon is for. */
  readonly tag: Bytes;
  readonly idForm: BeaconIdForm;
  /** 32 bytes: the node id or its blinded form. */
  readonly id: Bytes;
  /** 1 to 65,535. */
  readonly port: number;
  /** 16 bytes: the mark of the island the sender is on. */
  readonly island: Bytes;
}

const magic = utf8("mesh");
const version = 1;
const solicitationFlag = 0x01;

const flagsAt = 5;
const tagAt = 6;
const idFormAt = 22;
const idAt = 23;
const portAt = 55;
const islandAt = 57;

/** The number of an id form on the wire and in the island mark. */
export function idFormNumber(form: BeaconIdForm): 0 | 1 {
  return form === "plain" ? 0 : 1;
}

/** The 73 bytes of the beacon. */
export function encodeBeacon(beacon: Beacon): Bytes {
  return concatBytes(
    magic,
    Uint8Array.of(version, beacon.solicitation ? solicitationFlag : 0),
    beacon.tag,
    Uint8Array.of(idFormNumber(beacon.idForm)),
    beacon.id,
    encodeUint(beacon.port, 2),
    beacon.island,
  );
}

/** Reads a beacon of 73 to 200 bytes. Never throws. */
export function decodeBeacon(bytes: Uint8Array): Beacon | DecodeError {
  if (bytes.length < beaconBytesLength) return new DecodeError("beacon too short");
  if (bytes.length > beaconBytesMax) return new DecodeError("beacon too long");
  if (!equalBytes(bytes.subarray(0, 4), magic)) {
    return new DecodeError("beacon of another protocol");
  }
  if (bytes[4] !== version) return new DecodeError("beacon of another version");
  const form = bytes[idFormAt];
  if (form !== 0 && form !== 1) return new DecodeError("beacon id form unknown");
  const port = (bytes[portAt] ?? 0) * 256 + (bytes[portAt + 1] ?? 0);
  if (port === 0) return new DecodeError("beacon without a port");
  return {
    solicitation: ((bytes[flagsAt] ?? 0) & solicitationFlag) !== 0,
    tag: copyBytes(bytes.subarray(tagAt, idFormAt)),
    idForm: form === 0 ? "plain" : "blinded",
    id: copyBytes(bytes.subarray(idAt, portAt)),
    port,
    island: copyBytes(bytes.subarray(islandAt, beaconBytesLength)),
  };
}
