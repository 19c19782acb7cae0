/**
 * What an attacker can present in a TLS handshake to pass for somebody else, whose genuine
 * certificates he has seen but whose keys he has not.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes, utf8 } from "../../../src/base/bytes.ts";
import { generateKey, type IdentityKey, nodeIdOf } from "../../../src/crypto/identity_key.ts";
import { makeLeafCertificate, makeRootCertificate } from "../../../src/identity/certificate.ts";
import { encodePem } from "../../../src/identity/pem.ts";
import type { NodeId } from "../../../src/wire/node_id.ts";
import type { Presentation } from "./tls_by_hand.ts";

/** The genuine certificates of somebody. */
export interface Victim {
  readonly id: NodeId;
  readonly leaf: Bytes;
  readonly root: Bytes;
}

/** Somebody with keys of his own, who can present himself genuinely. */
export interface Impostor {
  readonly id: NodeId;
  readonly leaf: Bytes;
  readonly root: Bytes;
  readonly rootKey: IdentityKey;
  readonly leafKey: IdentityKey;
  /** Signs handshakes with the leaf's key. */
  readonly sign: (content: Bytes) => Promise<Bytes>;
}

function signerOf(key: IdentityKey): (content: Bytes) => Promise<Bytes> {
  return async (content) =>
    new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, content));
}

/** A new attacker. */
export async function newImpostor(): Promise<Impostor> {
  const [{ key: rootKey }, { key: leafKey }] = await Promise.all([generateKey(), generateKey()]);
  const id = await nodeIdOf(rootKey.publicKey);
  const [root, leaf] = await Promise.all([
    makeRootCertificate(rootKey, id),
    makeLeafCertificate(rootKey, id, leafKey.publicKey),
  ]);
  return { id, leaf, root, rootKey, leafKey, sign: signerOf(leafKey) };
}

/** The certificate with its version changed: 0 is version 1. Its signature no longer fits. */
function withVersion(certificate: Bytes, version: number): Bytes {
  const changed = copyBytes(certificate);
  const at = changed.findIndex((byte, i) =>
    byte === 0xa0 && changed[i + 1] === 3 && changed[i + 2] === 2 && changed[i + 3] === 1
  );
  if (at < 0) throw new Error("A certificate without a version");
  changed[at + 4] = version;
  return changed;
}

/** The outer length in three bytes where two do: BER, not DER. */
function withLongLength(certificate: Bytes): Bytes {
  return concatBytes(Uint8Array.of(0x30, 0x83, 0), certificate.subarray(2));
}

function pemOf(certificate: Bytes): Bytes {
  return utf8(encodePem("CERTIFICATE", certificate));
}

/** Every way to pass for the victim, by name. All of them must fail. */
export async function forgedPresentations(
  victim: Victim,
  impostor: Impostor,
): Promise<ReadonlyMap<string, Presentation>> {
  const { leaf, root, sign } = impostor;
  const [rootInHisName, leafInHisName, leafOfRoot] = await Promise.all([
    makeRootCertificate(impostor.rootKey, victim.id),
    makeLeafCertificate(impostor.rootKey, victim.id, impostor.leafKey.publicKey),
    makeLeafCertificate(impostor.rootKey, impostor.id, impostor.rootKey.publicKey),
  ]);
  const signNothing = () => Promise.resolve(new Uint8Array(64));
  const chains: Record<string, readonly Uint8Array[]> = {
    "a stolen leaf and root": [victim.leaf, victim.root],
    "a stolen leaf with a trailing byte": [
      concatBytes(victim.leaf, Uint8Array.of(0)),
      victim.root,
    ],
    "a stolen leaf with a trailing certificate": [
      concatBytes(victim.leaf, leaf),
      victim.root,
    ],
    "a stolen leaf in BER": [withLongLength(victim.leaf), victim.root],
    "a stolen leaf as version 1": [withVersion(victim.leaf, 0), victim.root],
    "a stolen leaf as version 2": [withVersion(victim.leaf, 1), victim.root],
    "a stolen leaf as version 4": [withVersion(victim.leaf, 3), victim.root],
    "a stolen leaf in PEM": [pemOf(victim.leaf), victim.root],
    "a stolen chain in PEM": [pemOf(victim.leaf), pemOf(victim.root)],
    "a stolen root with a trailing byte": [leaf, concatBytes(victim.root, Uint8Array.of(0))],
    "its own leaf under a stolen root": [leaf, victim.root],
    "its own leaf in the victim's name under a stolen root": [leafInHisName, victim.root],
    "its own root in the victim's name": [leafInHisName, rootInHisName],
    "a stolen leaf under its own root": [victim.leaf, root],
    "a stolen leaf and root behind its own": [leaf, root, victim.leaf, victim.root],
    "its own leaf before a stolen chain": [leaf, victim.leaf, victim.root],
    "a stolen root alone": [victim.root],
    "a stolen root twice": [victim.root, victim.root],
    "its own leaf alone": [leaf],
    "its own root as leaf": [root, root],
    "a leaf with the root's own key": [leafOfRoot, root],
    "a junk root": [leaf, crypto.getRandomValues(new Uint8Array(300))],
    "a root of nothing": [leaf, new Uint8Array(0)],
    "a leaf of 8,000 bytes": [concatBytes(leaf, new Uint8Array(8_000)), root],
    "a hundred certificates": Array.from({ length: 100 }, () => root),
  };
  const forged = new Map<string, Presentation>();
  for (const [name, certificates] of Object.entries(chains)) {
    forged.set(name, { certificates, sign });
  }
  const stolen = [victim.leaf, victim.root];
  forged.set("a stolen chain without a signature", { certificates: stolen, sign: undefined });
  forged.set("a stolen chain with an empty signature", { certificates: stolen, sign: signNothing });
  forged.set("its own chain with an empty signature", {
    certificates: [leaf, root],
    sign: signNothing,
  });
  forged.set("no certificates", { certificates: [], sign });
  return forged;
}
