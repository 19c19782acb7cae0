/**
 * Who this node is: its key, its id, its root certificate, and a fresh leaf for each start.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import {
  generateKey,
  type IdentityKey,
  nodeIdOf,
  privateKeyOfSeed,
  type PublicKey,
  signCose,
  signWith,
} from "../crypto/mod.ts";
import type { Storage } from "../platform/storage.ts";
import type { NodeId } from "../wire/node_id.ts";
import { makeLeafCertificate, makeRootCertificate } from "./certificate.ts";
import { isChainRefusal, judgeChain } from "./chain.ts";
import {
  IdentityProblem,
  type KeyProtection,
  type KeySecrets,
  openOrCreateKey,
} from "./key_file.ts";
import { encodePem } from "./pem.ts";

/** What a TLS endpoint needs to present itself. */
export interface LeafCredentials {
  /** Leaf and root, PEM, in this order. */
  readonly certificateChainPem: string;
  /** The leaf's private key, PKCS#8 PEM. Never written to disk, never logged. */
  readonly privateKeyPem: string;
  /** The leaf certificate, DER. */
  readonly leaf: Bytes;
  /** The root certificate, DER. */
  readonly root: Bytes;
  /** SHA-256 of the leaf's DER, 32 bytes. */
  readonly leafHash: Bytes;
}

/** This node's identity. */
export interface Identity {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  readonly protection: KeyProtection;
  /** Signs under a purpose: 64 × `0x20` ‖ label ‖ `0x00` ‖ data; 64 bytes. PROTOCOL §1.3. */
  sign(label: string, data: Uint8Array): Promise<Bytes>;
  /** Signs a COSE `Sig_structure` (it must be one): records. 64 bytes. */
  signCose(sigStructure: Uint8Array): Promise<Bytes>;
  /** The root certificate, DER; it follows from the key alone and is made when first asked for. */
  rootCertificate(): Promise<Bytes>;
  /** A fresh TLS key and its certificate. A few milliseconds: once per start. */
  newLeaf(): Promise<LeafCredentials>;
}

class KeyedIdentity implements Identity {
  readonly id: NodeId;
  readonly publicKey: PublicKey;
  readonly protection: KeyProtection;
  readonly #key: IdentityKey;
  #root: Promise<Bytes> | undefined;

  constructor(id: NodeId, key: IdentityKey, protection: KeyProtection) {
    this.id = id;
    this.publicKey = key.publicKey;
    this.protection = protection;
    this.#key = key;
  }

  sign(label: string, data: Uint8Array): Promise<Bytes> {
    return signWith(this.#key, label, data);
  }

  signCose(sigStructure: Uint8Array): Promise<Bytes> {
    return signCose(this.#key, sigStructure);
  }

  rootCertificate(): Promise<Bytes> {
    this.#root ??= makeRootCertificate(this.#key, this.id);
    return this.#root;
  }

  async newLeaf(): Promise<LeafCredentials> {
    const root = await this.rootCertificate();
    const { key, pkcs8 } = await generateKey();
    const leaf = await makeLeafCertificate(this.#key, this.id, key.publicKey);
    const judged = await judgeChain({ leaf, root });
    invariant(!isChainRefusal(judged) && judged.id === this.id, "our own chain passes our judge");
    return {
      certificateChainPem: encodePem("CERTIFICATE", leaf) + encodePem("CERTIFICATE", root),
      privateKeyPem: encodePem("PRIVATE KEY", pkcs8),
      leaf,
      root,
      leafHash: judged.leafHash,
    };
  }
}

async function identityOf(key: IdentityKey, protection: KeyProtection): Promise<Identity> {
  return new KeyedIdentity(await nodeIdOf(key.publicKey), key, protection);
}

/** The identity in the state directory, created there if there is none. Never rejects. */
export async function loadOrCreateIdentity(
  storage: Storage,
  options: KeySecrets = {},
): Promise<Identity | IdentityProblem> {
  const opened = await openOrCreateKey(storage, options);
  if (opened instanceof IdentityProblem) return opened;
  return await identityOf(opened.key, opened.protection);
}

/** Whether there is no identity, and why. */
export function isIdentityProblem<T>(result: T | IdentityProblem): result is IdentityProblem {
  return result instanceof IdentityProblem;
}

/** An identity of a 32-byte seed that lives nowhere: for simulations and tests. */
export async function identityOfSeed(seed: Uint8Array): Promise<Identity> {
  return await identityOf(await privateKeyOfSeed(seed), "plain");
}

/** A new identity that lives in memory only: for self tests and tools. */
export async function newIdentity(): Promise<Identity> {
  return await identityOf((await generateKey()).key, "plain");
}
