/**
 * Making the two certificates of a node (profile: `chain.ts`, PROTOCOL §2.2). They are made by a
 * library and judged by our own reader, so that neither can be wrong alone.
 *
 * @module
 */
// First: the X.509 library looks for what this defines while it loads.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { type Bytes, toHex } from "../base/bytes.ts";
import {
  type IdentityKey,
  importPublicKey,
  type PublicKey,
  sha256,
  spkiOf,
} from "../crypto/mod.ts";
import { type NodeId, nodeIdToBytes } from "../wire/node_id.ts";
import { keyIdentifierBytes } from "./limits.ts";

/** The beginning of Unix time: a node whose clock was never set is still inside. */
const notBefore = new Date(0);
/** "No well-defined expiration": RFC 5280 §4.1.2.5. */
const notAfter = new Date(Date.UTC(9999, 11, 31, 23, 59, 59));
/** Every leaf's subject: any name that is not a node id. */
const leafName = "mesh leaf";

function commonName(text: string): Name {
  return new Name([{ CN: [{ utf8String: text }] }]);
}

/**
 * The root's key identifier in hexadecimal. The judge looks at none, but RFC 5280 §4.2.1 wants them
 * and strict tools complain without. Any method that gives distinct values will do: the id's start.
 */
function rootKeyIdentifier(id: NodeId): string {
  return toHex(nodeIdToBytes(id).subarray(0, keyIdentifierBytes));
}

async function makeCertificate(
  signer: IdentityKey,
  serialNumber: string,
  issuer: string,
  subject: string,
  publicKey: PublicKey,
  extensions: Extension[],
): Promise<Bytes> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber,
    issuer: commonName(issuer),
    subject: commonName(subject),
    notBefore,
    notAfter,
    publicKey: await importPublicKey(publicKey),
    signingKey: signer.privateKey,
    signingAlgorithm: { name: "Ed25519" },
    extensions,
  });
  return new Uint8Array(certificate.rawData);
}

/** The root certificate, DER: the same bytes for the same key, always. */
export function makeRootCertificate(key: IdentityKey, id: NodeId): Promise<Bytes> {
  return makeCertificate(key, "01", id, id, key.publicKey, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    new SubjectKeyIdentifierExtension(rootKeyIdentifier(id)),
  ]);
}

/** A leaf certificate for the TLS key, DER, signed by the root's key. */
export async function makeLeafCertificate(
  root: IdentityKey,
  id: NodeId,
  leafKey: PublicKey,
): Promise<Bytes> {
  // A key's hash differs from every other leaf's; the top bits keep it positive and not short.
  const serial = (await sha256(spkiOf(leafKey))).slice(0, 16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return await makeCertificate(root, toHex(serial), id, leafName, leafKey, [
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new AuthorityKeyIdentifierExtension(rootKeyIdentifier(id)),
  ]);
}
