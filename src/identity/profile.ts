/**
 * The certificate profile as bytes: a certificate is a function of a few parts, written here once.
 * `decodeCertificate` finds the parts, writes the certificate again from them and compares all
 * bytes, so that nothing outside the profile can hide in a certificate. The profile itself is told
 * in `chain.ts` (PROTOCOL §2.2).
 *
 * @module
 */
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { parsePublicKey, type PublicKey, signatureLength, spkiOf } from "../crypto/mod.ts";
import { decodeDer, type DerNode, derTag, encodeDer } from "./der.ts";
import {
  certificateBytesMax,
  commonNameBytesMax,
  keyIdentifierBytes,
  serialNumberBytesMax,
} from "./limits.ts";

/** Text with the tag that it was written under: UTF8String or PrintableString. */
export interface CommonName {
  readonly tag: number;
  readonly text: Bytes;
}

/** A time with its tag: UTCTime or GeneralizedTime. */
export interface CertificateTime {
  readonly tag: number;
  readonly text: Bytes;
}

/** An extension of the profile. */
export type Extension =
  | { readonly kind: "authority" }
  | { readonly kind: "end entity" }
  | { readonly kind: "signs certificates" }
  | { readonly kind: "signs handshakes" }
  | { readonly kind: "subject key"; readonly identifier: Bytes }
  | { readonly kind: "authority key"; readonly identifier: Bytes };

/** What is signed, as far as two certificates of the profile can differ in it. */
export interface CertificateContent {
  /** Content of the INTEGER, positive. */
  readonly serialNumber: Bytes;
  readonly issuer: CommonName;
  readonly notBefore: CertificateTime;
  readonly notAfter: CertificateTime;
  readonly subject: CommonName;
  readonly publicKey: PublicKey;
  /** In the order in which they stand, no kind of identifier twice. */
  readonly extensions: readonly Extension[];
}

/** Everything in which two certificates of the profile can differ. */
export interface CertificateParts extends CertificateContent {
  /** 64 bytes. */
  readonly signature: Bytes;
}

/** A certificate of the profile. */
export interface Certificate extends CertificateParts {
  /** What is signed: the TBSCertificate exactly as received. */
  readonly tbs: Bytes;
}

const version3 = encodeDer(0xa0, encodeDer(derTag.integer, Uint8Array.of(2)));
/** AlgorithmIdentifier of Ed25519 without parameters: RFC 8410 §3. */
const ed25519 = encodeDer(
  derTag.sequence,
  encodeDer(derTag.objectId, Uint8Array.of(0x2b, 0x65, 0x70)),
);
const commonNameId = encodeDer(derTag.objectId, Uint8Array.of(0x55, 0x04, 0x03));
const critical = encodeDer(derTag.boolean, Uint8Array.of(0xff));

function extensionId(last: number): Bytes {
  return encodeDer(derTag.objectId, Uint8Array.of(0x55, 0x1d, last));
}

function encodeExtensionParts(id: number, isCritical: boolean, value: Bytes): Bytes {
  const flag = isCritical ? [critical] : [];
  return encodeDer(
    derTag.sequence,
    extensionId(id),
    ...flag,
    encodeDer(derTag.octetString, value),
  );
}

const idSubjectKey = 14;
const idKeyUsage = 15;
const idBasicConstraints = 19;
const idAuthorityKey = 35;

/** The extensions that have one form only. */
const fixedExtensions: readonly { readonly bytes: Bytes; readonly extension: Extension }[] = [
  {
    extension: { kind: "authority" },
    bytes: encodeExtensionParts(
      idBasicConstraints,
      true,
      encodeDer(derTag.sequence, encodeDer(derTag.boolean, Uint8Array.of(0xff))),
    ),
  },
  {
    extension: { kind: "end entity" },
    bytes: encodeExtensionParts(idBasicConstraints, true, encodeDer(derTag.sequence)),
  },
  {
    extension: { kind: "signs certificates" },
    bytes: encodeExtensionParts(
      idKeyUsage,
      true,
      encodeDer(derTag.bitString, Uint8Array.of(2, 0x04)),
    ),
  },
  {
    extension: { kind: "signs handshakes" },
    bytes: encodeExtensionParts(
      idKeyUsage,
      true,
      encodeDer(derTag.bitString, Uint8Array.of(7, 0x80)),
    ),
  },
];

function encodeExtension(extension: Extension): Bytes {
  if (extension.kind === "subject key") {
    const value = encodeDer(derTag.octetString, extension.identifier);
    return encodeExtensionParts(idSubjectKey, false, value);
  }
  if (extension.kind === "authority key") {
    const value = encodeDer(derTag.sequence, encodeDer(0x80, extension.identifier));
    return encodeExtensionParts(idAuthorityKey, false, value);
  }
  const fixed = fixedExtensions.find((entry) => entry.extension.kind === extension.kind);
  return fixed === undefined ? new Uint8Array(0) : fixed.bytes;
}

function encodeName(name: CommonName): Bytes {
  const attribute = encodeDer(derTag.sequence, commonNameId, encodeDer(name.tag, name.text));
  return encodeDer(derTag.sequence, encodeDer(derTag.set, attribute));
}

/** Writes the TBSCertificate of the parts. */
export function encodeTbs(parts: CertificateContent): Bytes {
  return encodeDer(
    derTag.sequence,
    version3,
    encodeDer(derTag.integer, parts.serialNumber),
    ed25519,
    encodeName(parts.issuer),
    encodeDer(
      derTag.sequence,
      encodeDer(parts.notBefore.tag, parts.notBefore.text),
      encodeDer(parts.notAfter.tag, parts.notAfter.text),
    ),
    encodeName(parts.subject),
    spkiOf(parts.publicKey),
    encodeDer(0xa3, encodeDer(derTag.sequence, ...parts.extensions.map(encodeExtension))),
  );
}

/** Writes the certificate of the parts. */
export function encodeCertificate(parts: CertificateParts): Bytes {
  return encodeDer(
    derTag.sequence,
    encodeTbs(parts),
    ed25519,
    encodeDer(derTag.bitString, Uint8Array.of(0), parts.signature),
  );
}

function readSerialNumber(node: DerNode | undefined): Bytes | undefined {
  if (node?.tag !== derTag.integer || node.content.length > serialNumberBytesMax) return undefined;
  const first = node.content[0] ?? 0;
  const isZero = node.content.length === 1 && first === 0;
  return isZero || first >= 0x80 ? undefined : node.content;
}

function readName(node: DerNode | undefined): CommonName | undefined {
  const value = node?.children[0]?.children[0]?.children[1];
  if (value?.tag !== derTag.utf8String && value?.tag !== derTag.printableString) return undefined;
  if (value.content.length === 0 || value.content.length > commonNameBytesMax) return undefined;
  const name = { tag: value.tag, text: value.content };
  return node !== undefined && equalBytes(encodeName(name), node.bytes) ? name : undefined;
}

function readTime(node: DerNode | undefined): CertificateTime | undefined {
  return node?.tag === derTag.utcTime || node?.tag === derTag.generalizedTime
    ? { tag: node.tag, text: node.content }
    : undefined;
}

/** Content of the innermost value of a key identifier extension, if it has one of our length. */
function readKeyIdentifier(node: DerNode, wrapped: boolean): Bytes | undefined {
  const value = node.children[1];
  if (value?.tag !== derTag.octetString) return undefined;
  const inner = decodeDer(value.content);
  if (inner instanceof DecodeError) return undefined;
  const identifier = wrapped ? inner.children[0]?.content : inner.content;
  return identifier?.length === keyIdentifierBytes ? identifier : undefined;
}

function readExtension(node: DerNode): Extension | undefined {
  const fixed = fixedExtensions.find((entry) => equalBytes(entry.bytes, node.bytes));
  if (fixed !== undefined) return fixed.extension;
  for (const kind of ["subject key", "authority key"] as const) {
    const identifier = readKeyIdentifier(node, kind === "authority key");
    if (identifier === undefined) continue;
    const extension: Extension = { kind, identifier };
    if (equalBytes(encodeExtension(extension), node.bytes)) return extension;
  }
  return undefined;
}

function readExtensions(node: DerNode | undefined): readonly Extension[] | DecodeError {
  if (node?.tag !== 0xa3 || node.children.length !== 1) return new DecodeError("extensions");
  const extensions: Extension[] = [];
  const seen = new Set<string>();
  for (const child of node.children[0]?.children ?? []) {
    const extension = readExtension(child);
    if (extension === undefined) return new DecodeError("extension not in the profile");
    const id = child.children[0];
    const idText = id === undefined ? "" : id.content.join(".");
    if (seen.has(idText)) return new DecodeError("extension twice");
    seen.add(idText);
    extensions.push(extension);
  }
  return extensions;
}

/**
 * Reads a certificate of the profile: DER, written again from its parts and found equal to all of
 * `bytes`. Says nothing about who signed it. Never throws.
 */
export function decodeCertificate(bytes: Uint8Array): Certificate | DecodeError {
  if (bytes.length > certificateBytesMax) return new DecodeError("certificate too long");
  const outer = decodeDer(bytes);
  if (outer instanceof DecodeError) return outer;
  const [tbs, algorithm, signature] = outer.children;
  if (outer.tag !== derTag.sequence || outer.children.length !== 3) {
    return new DecodeError("certificate shape");
  }
  if (tbs?.tag !== derTag.sequence || algorithm === undefined || signature === undefined) {
    return new DecodeError("certificate shape");
  }
  if (!equalBytes(algorithm.bytes, ed25519)) return new DecodeError("signature algorithm");
  if (
    signature.tag !== derTag.bitString || signature.content[0] !== 0 ||
    signature.content.length !== 1 + signatureLength
  ) return new DecodeError("signature shape");

  const [version, serial, inner, issuer, validity, subject, spki, extensionNode] = tbs.children;
  if (version === undefined || !equalBytes(version.bytes, version3)) {
    return new DecodeError("certificate version");
  }
  const serialNumber = readSerialNumber(serial);
  if (serialNumber === undefined) return new DecodeError("serial number");
  if (inner === undefined || !equalBytes(inner.bytes, ed25519)) {
    return new DecodeError("signature algorithm");
  }
  const issuerName = readName(issuer);
  const subjectName = readName(subject);
  if (issuerName === undefined || subjectName === undefined) return new DecodeError("name");
  const notBefore = readTime(validity?.children[0]);
  const notAfter = readTime(validity?.children[1]);
  if (notBefore === undefined || notAfter === undefined) return new DecodeError("validity");
  const keyBits = spki?.children[1]?.content;
  const publicKey = parsePublicKey(keyBits?.subarray(1) ?? new Uint8Array(0));
  if (publicKey instanceof DecodeError) return publicKey;
  if (spki === undefined || !equalBytes(spki.bytes, spkiOf(publicKey))) {
    return new DecodeError("public key info");
  }
  const extensions = readExtensions(extensionNode);
  if (extensions instanceof DecodeError) return extensions;

  const parts: CertificateParts = {
    serialNumber,
    issuer: issuerName,
    notBefore,
    notAfter,
    subject: subjectName,
    publicKey,
    extensions,
    signature: signature.content.subarray(1),
  };
  if (!equalBytes(encodeCertificate(parts), bytes)) {
    return new DecodeError("bytes beside the parts");
  }
  return { ...parts, tbs: tbs.bytes };
}

/** Whether two names are written in the same bytes. */
export function equalNames(a: CommonName, b: CommonName): boolean {
  return equalBytes(encodeName(a), encodeName(b));
}
