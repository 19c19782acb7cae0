/**
 * Judging a presented chain: who the certificates say the peer is.
 *
 * The platform's TLS proves nothing here (SECURITY.md, "The platform's TLS"): it skips the proof of
 * possession for leaves that it cannot read, and checks no chain. So a chain is accepted only if
 * every byte of it is accounted for, and what is accepted is so plain that every TLS stack reads it
 * alike. A judged chain is still no proof that the peer holds the key: the exchange is.
 *
 * @module
 */
import { type Bytes, copyBytes, equalBytes, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { nodeIdOf, type PublicKey, sha256, verifySignature } from "../crypto/mod.ts";
import type { PresentedChain } from "../platform/secure_streams.ts";
import type { NodeId } from "../wire/node_id.ts";
import { certificateBytesMax } from "./limits.ts";
import { type Certificate, decodeCertificate, equalNames } from "./profile.ts";

/** Whom a chain names. */
export interface JudgedPeer {
  /** SHA-256 of the root's SubjectPublicKeyInfo. */
  readonly id: NodeId;
  /** The root's key, 32 bytes: it signs the exchange and the records. */
  readonly publicKey: PublicKey;
  /** SHA-256 of the leaf's DER, 32 bytes. */
  readonly leafHash: Bytes;
}

/** Why a chain was refused; `reason` is a fixed phrase, for counting, never for the peer. */
export class ChainRefusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Whether the chain was refused. */
export function isChainRefusal(judged: JudgedPeer | ChainRefusal): judged is ChainRefusal {
  return judged instanceof ChainRefusal;
}

function hasExactly(
  certificate: Certificate,
  required: readonly string[],
  allowed: readonly string[],
): boolean {
  const kinds = certificate.extensions.map((extension) => extension.kind);
  return required.every((kind) => kinds.some((found) => found === kind)) &&
    kinds.every((kind) => required.includes(kind) || allowed.includes(kind));
}

/**
 * Judges `[leaf, root]` by the profile (PROTOCOL §2.2). Resolves to the peer or a refusal; never
 * throws, never rejects. It costs two signature checks, and none before all else has held.
 *
 * **Both certificates**
 * - DER (X.690) of at most 4,096 bytes and nothing after it: definite lengths in their shortest
 *   form, shortest integers, booleans `00` or `FF`, padding bits of bit strings zero, at every depth,
 *   extension values included. The judge finds the parts named here, writes the certificate again
 *   from them and compares all bytes received.
 * - `version` [0] is exactly 2 (X.509 v3).
 * - `serialNumber`: positive, not zero, at most 20 content bytes.
 * - `signature` and `signatureAlgorithm`: both exactly `30 05 06 03 2b 65 70` (Ed25519, no
 *   parameters, RFC 8410 §3).
 * - `issuer` and `subject`: one RelativeDistinguishedName with one attribute, commonName (2.5.4.3),
 *   UTF8String or PrintableString of 1 to 64 bytes.
 * - `validity`: two times in the forms of RFC 5280 §4.1.2.5 (UTCTime for 1950 to 2049,
 *   GeneralizedTime otherwise, seconds, `Z`). What they say is **not judged**: clocks may be wrong by
 *   decades, freshness comes from the exchange.
 * - `subjectPublicKeyInfo`: exactly `30 2a 30 05 06 03 2b 65 70 03 21 00` and the 32-byte key, which is
 *   canonical (y < 2²⁵⁵ − 19) and not one of the points whose order divides 8.
 * - No `issuerUniqueID`, no `subjectUniqueID`.
 * - `extensions` [3] is present and holds only those named below, in any order, none twice.
 *   `subjectKeyIdentifier` (`04 14` and 20 bytes) and `authorityKeyIdentifier`
 *   (`30 16 80 14` and 20 bytes: keyIdentifier alone), not critical, may be there; their contents are
 *   not judged.
 * - `signatureValue`: a bit string of 64 bytes, no unused bits.
 *
 * **The root**
 * - `issuer` and `subject` are the same bytes. The common name is the node id in text: lower-case
 *   base32 without padding, 52 characters, of SHA-256 of this certificate's subjectPublicKeyInfo.
 * - Extensions: `basicConstraints`, critical, `30 03 01 01 ff` (a CA, no path length);
 *   `keyUsage`, critical, `03 02 02 04` (keyCertSign alone); the two key identifiers may be there.
 * - Signed by its own key over the TBSCertificate as received.
 *
 * **The leaf**
 * - `issuer` is, in bytes, the root's `subject`. `subject` is not.
 * - Its key is not the root's.
 * - Extensions: `keyUsage`, critical, `03 02 07 80` (digitalSignature alone); `basicConstraints`,
 *   critical, `30 00` (no CA), and the two key identifiers may be there.
 * - Signed by the root's key over the TBSCertificate as received.
 *
 * The id comes from the root's key alone; that the name repeats it only keeps tools from showing
 * another.
 */
export async function judgeChain(chain: PresentedChain): Promise<JudgedPeer | ChainRefusal> {
  try {
    return await judge(chain);
  } catch {
    // Nothing above throws as far as we know. Should the platform, the refusal is the same.
    return new ChainRefusal("judgement failed");
  }
}

async function judge(chain: PresentedChain): Promise<JudgedPeer | ChainRefusal> {
  if (chain.leaf.length > certificateBytesMax) return new ChainRefusal("leaf: too long");
  if (chain.root.length > certificateBytesMax) return new ChainRefusal("root: too long");
  // Bytes of our own: what was judged cannot change while a signature is checked.
  const leafBytes = copyBytes(chain.leaf);
  const rootBytes = copyBytes(chain.root);

  const root = decodeCertificate(rootBytes);
  if (root instanceof DecodeError) return new ChainRefusal(`root: ${root.reason}`);
  const leaf = decodeCertificate(leafBytes);
  if (leaf instanceof DecodeError) return new ChainRefusal(`leaf: ${leaf.reason}`);

  const identifiers = ["subject key", "authority key"];
  if (!equalNames(root.issuer, root.subject)) return new ChainRefusal("root: not its own issuer");
  if (!hasExactly(root, ["authority", "signs certificates"], identifiers)) {
    return new ChainRefusal("root: wrong extensions");
  }
  if (!equalNames(leaf.issuer, root.subject)) return new ChainRefusal("leaf: another issuer");
  if (equalNames(leaf.subject, leaf.issuer)) return new ChainRefusal("leaf: named as its issuer");
  if (!hasExactly(leaf, ["signs handshakes"], ["end entity", ...identifiers])) {
    return new ChainRefusal("leaf: wrong extensions");
  }
  if (equalBytes(leaf.publicKey, root.publicKey)) return new ChainRefusal("leaf: the root's key");

  const id = await nodeIdOf(root.publicKey);
  if (!equalBytes(root.subject.text, utf8(id))) {
    return new ChainRefusal("root: not named by its id");
  }

  if (!await verifySignature(root.publicKey, root.tbs, root.signature)) {
    return new ChainRefusal("root: signature");
  }
  if (!await verifySignature(root.publicKey, leaf.tbs, leaf.signature)) {
    return new ChainRefusal("leaf: signature");
  }
  return { id, publicKey: root.publicKey, leafHash: await sha256(leafBytes) };
}
