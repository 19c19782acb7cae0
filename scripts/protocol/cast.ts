/**
 * Who appears in the examples of PROTOCOL.md: two nodes of which every byte is fixed.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { type WallTime, wallTime } from "../../src/base/instant.ts";
import { type IpAddress, parseIp } from "../../src/base/ip.ts";
import { invariant } from "../../src/base/invariant.ts";
import { type IdentityKey, privateKeyOfSeed, sha256, signRecord } from "../../src/crypto/mod.ts";
import { makeLeafCertificate, makeRootCertificate } from "../../src/identity/certificate.ts";
import { type Identity, identityOfSeed } from "../../src/identity/mod.ts";
import { type VerifiedRecord, verifyRecord } from "../../src/sync/mod.ts";
import type { CborValue } from "../../src/wire/cbor.ts";
import { encodeInfo, type InfoBody } from "../../src/wire/info.ts";
import { encodeLinks, type LinksBody, prefixHexOf } from "../../src/wire/links.ts";
import { encodeRecordPayload } from "../../src/wire/record.ts";
import { infoKind, linksKind } from "../../src/wire/record_key.ts";

/** `length` bytes of one value. */
export function filled(value: number, length: number): Bytes {
  return new Uint8Array(length).fill(value);
}

/** `length` bytes that count up. */
export function counted(first: number, length: number): Bytes {
  return new Uint8Array(length).map((_, i) => first + i);
}

/** An address that is written right. */
export function ipOf(text: string): IpAddress {
  const ip = parseIp(text);
  invariant(ip !== undefined, "an example's address is one");
  return ip;
}

/** 2026-01-01 00:00:00 UTC: when everything in the examples is signed. */
export const signedAt: WallTime = wallTime(Date.UTC(2026, 0, 1));

/** A node of the examples. */
export interface Actor {
  readonly identity: Identity;
  readonly key: IdentityKey;
  readonly leafKey: IdentityKey;
  /** DER. */
  readonly root: Bytes;
  /** DER. */
  readonly leaf: Bytes;
  /** SHA-256 of the leaf's DER. */
  readonly leafHash: Bytes;
  readonly bootNonce: Bytes;
  readonly infoBody: InfoBody;
  readonly info: VerifiedRecord;
}

/** Payload of a self record of the examples, encoded. */
export function payloadOf(kind: number, body: CborValue): Bytes {
  return encodeRecordPayload({
    kind,
    subject: new Uint8Array(0),
    serial: signedAt,
    signedAt,
    body,
  });
}

async function sign(identity: Identity, kind: number, body: CborValue): Promise<VerifiedRecord> {
  const record = await verifyRecord(await signRecord(identity, payloadOf(kind, body)));
  invariant(!(record instanceof DecodeError), "an example's record is one");
  return record;
}

async function actor(name: string, ip: string, number: number): Promise<Actor> {
  const seed = filled(number, 32);
  const [identity, key] = [await identityOfSeed(seed), await privateKeyOfSeed(seed)];
  const leafKey = await privateKeyOfSeed(filled(0x10 + number, 32));
  const leaf = await makeLeafCertificate(key, identity.id, leafKey.publicKey);
  const bootNonce = filled(0xa0 + number, 16);
  const infoBody: InfoBody = {
    name,
    endpoints: [{ ip: ipOf(ip), port: 7411, scope: "private" }],
    observed: [],
    capabilities: [],
    software: { version: "0.1.0", seq: 0, target: "x86_64-unknown-linux-gnu" },
    bootNonce,
    labels: new Map([["site", "lab"]]),
    platform: { os: "linux", arch: "x86_64" },
  };
  return {
    identity,
    key,
    leafKey,
    root: await makeRootCertificate(key, identity.id),
    leaf,
    leafHash: await sha256(leaf),
    bootNonce,
    infoBody,
    info: await sign(identity, infoKind, encodeInfo(infoBody)),
  };
}

/** Both nodes, and what Ann says of her link with Bob. */
export interface Cast {
  /** Key seed 32 × 01, leaf's 32 × 11, boot nonce 16 × a1, at 192.168.1.1. */
  readonly ann: Actor;
  /** Key seed 32 × 02, leaf's 32 × 12, boot nonce 16 × a2, at 192.168.1.2. */
  readonly bob: Actor;
  readonly annLinks: VerifiedRecord;
  readonly annLinksBody: LinksBody;
}

/** Makes the two nodes: the same bytes every time. */
export async function makeCast(): Promise<Cast> {
  const [ann, bob] = [await actor("ann", "192.168.1.1", 1), await actor("bob", "192.168.1.2", 2)];
  const annLinksBody: LinksBody = {
    bootNonce: ann.bootNonce,
    links: [{ peer: prefixHexOf(bob.identity.id), costExponent: 1 }],
    lost: [],
  };
  return {
    ann,
    bob,
    annLinksBody,
    annLinks: await sign(ann.identity, linksKind, encodeLinks(annLinksBody)),
  };
}
