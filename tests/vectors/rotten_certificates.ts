/**
 * Variants of a certificate that both the leaf and the root can be given, each with one thing that
 * the profile does not allow. PROTOCOL §2.2.
 *
 * @module
 */
import { type Bytes, concatBytes, utf8 } from "../../src/base/bytes.ts";
import { hex } from "../fixtures/bytes.ts";
import {
  always,
  authority,
  endEntity,
  extensions,
  identifier,
  name,
  signsCertificates,
  signsHandshakes,
  spki,
  subjectKey,
  tlv,
  version3,
} from "../fixtures/certificate_pieces.ts";
import { otherKey, type Pieces } from "../fixtures/certificates.ts";

/** Length in the long form although the short one would do. */
function longLength(content: Bytes, tag = 0x30): Bytes {
  return concatBytes(
    Uint8Array.of(tag, 0x83, 0, content.length >> 8, content.length & 255),
    content,
  );
}

/** Two length bytes although one would do (content under 256 bytes). */
function wideLength(tag: number, content: Uint8Array): Bytes {
  return concatBytes(Uint8Array.of(tag, 0x82, 0, content.length), content);
}

function indefinite(content: Uint8Array, tag = 0x30): Bytes {
  return concatBytes(Uint8Array.of(tag, 0x80), content, Uint8Array.of(0, 0));
}

function inner(value: Uint8Array): Bytes {
  return value.slice(2);
}

/** What a certificate is given instead, and why it is refused; the reason is prefixed by "leaf: " or "root: ". */
export const rotten: Record<string, readonly [Partial<Pieces>, string]> = {
  "a trailing byte": [
    { wrap: (c) => concatBytes(tlv(0x30, c), Uint8Array.of(0)) },
    "der trailing bytes",
  ],
  "a second value behind": [
    { wrap: (c) => concatBytes(tlv(0x30, c), hex("05 00")) },
    "der trailing bytes",
  ],
  "a trailing byte inside": [
    { wrap: (c) => tlv(0x30, c, Uint8Array.of(0)) },
    "der truncated",
  ],
  "a fourth part": [{ wrap: (c) => tlv(0x30, c, hex("30 00")) }, "certificate shape"],
  "a SET outside": [{ wrap: (c) => tlv(0x31, c) }, "der set order"],
  "a [0] outside": [{ wrap: (c) => tlv(0xa0, c) }, "certificate shape"],
  "the outer length in three bytes": [{ wrap: (c) => longLength(c) }, "der length too long"],
  "an indefinite length outside": [{ wrap: (c) => indefinite(c) }, "der indefinite length"],
  "an indefinite TBS": [{ wrapTbs: (c) => indefinite(c) }, "der indefinite length"],
  "a TBS length with a leading zero": [
    { wrapTbs: (c) => longLength(c) },
    "der length too long",
  ],
  "a short length in the long form": [
    { outerAlgorithm: hex("30 81 05 06 03 2b 65 70") },
    "der length not minimal",
  ],
  "a signed short length in the long form": [
    { innerAlgorithm: hex("30 81 05 06 03 2b 65 70") },
    "der length not minimal",
  ],
  "a two-byte length with a zero": [
    { signatureBits: (s) => wideLength(0x03, concatBytes(Uint8Array.of(0), s)) },
    "der length not minimal",
  ],
  "a long tag": [{ serial: hex("1f 02 01 01") }, "der long tag"],
  "version 1, written out": [{ version: hex("a0 03 02 01 00") }, "certificate version"],
  "version 2": [{ version: hex("a0 03 02 01 01") }, "certificate version"],
  "version 4": [{ version: hex("a0 03 02 01 03") }, "certificate version"],
  "version 3 with a leading zero": [{ version: hex("a0 04 02 02 00 02") }, "der integer"],
  "no version": [{ version: hex("") }, "certificate version"],
  "version twice": [{ version: concatBytes(version3, version3) }, "serial number"],
  "a negative serial number": [{ serial: hex("02 01 80") }, "serial number"],
  "serial number zero": [{ serial: hex("02 01 00") }, "serial number"],
  "an empty serial number": [{ serial: hex("02 00") }, "der integer"],
  "a serial number with needless zeros": [{ serial: hex("02 02 00 01") }, "der integer"],
  "a serial number with needless ones": [{ serial: hex("02 02 ff 80") }, "der integer"],
  "a serial number of 21 bytes": [
    { serial: tlv(0x02, new Uint8Array(21).fill(0x11)) },
    "serial number",
  ],
  "Ed448 inside": [{ innerAlgorithm: hex("30 05 06 03 2b 65 71") }, "signature algorithm"],
  "Ed448 outside": [{ outerAlgorithm: hex("30 05 06 03 2b 65 71") }, "signature algorithm"],
  "NULL parameters inside": [
    { innerAlgorithm: hex("30 07 06 03 2b 65 70 05 00") },
    "der type not used",
  ],
  "NULL parameters outside": [
    { outerAlgorithm: hex("30 07 06 03 2b 65 70 05 00") },
    "der type not used",
  ],
  "empty parameters inside": [
    { innerAlgorithm: hex("30 07 06 03 2b 65 70 30 00") },
    "signature algorithm",
  ],
  "empty parameters outside": [
    { outerAlgorithm: hex("30 07 06 03 2b 65 70 30 00") },
    "signature algorithm",
  ],
  "an algorithm with a padded identifier": [
    { outerAlgorithm: hex("30 06 06 04 80 2b 65 70") },
    "der object identifier",
  ],
  "another key algorithm": [
    { spki: concatBytes(hex("30 2a 30 05 06 03 2b 65 6e 03 21 00"), otherKey.raw) },
    "public key info",
  ],
  "NULL parameters in the key": [
    { spki: concatBytes(hex("30 2c 30 07 06 03 2b 65 70 05 00 03 21 00"), otherKey.raw) },
    "der type not used",
  ],
  "unused bits in the key": [
    {
      spki: concatBytes(
        hex("30 2a 30 05 06 03 2b 65 70 03 21 01"),
        otherKey.raw.map((b) => b & 254),
      ),
    },
    "public key info",
  ],
  "a key of 31 bytes": [
    { spki: concatBytes(hex("30 29 30 05 06 03 2b 65 70 03 20 00"), new Uint8Array(31).fill(9)) },
    "public key length",
  ],
  "a key of 33 bytes": [
    { spki: concatBytes(hex("30 2b 30 05 06 03 2b 65 70 03 22 00"), new Uint8Array(33).fill(9)) },
    "public key length",
  ],
  "a third part in the key info": [
    { spki: concatBytes(hex("30 2c 30 05 06 03 2b 65 70 03 21 00"), otherKey.raw, hex("30 00")) },
    "public key info",
  ],
  "the neutral element as key": [
    { spki: spki(Uint8Array.of(1, ...new Uint8Array(31))) },
    "public key of small order",
  ],
  "a key of order 2": [
    { spki: spki(hex(`ec ${"ff".repeat(30)} 7f`)) },
    "public key of small order",
  ],
  "a key of order 4": [{ spki: spki(new Uint8Array(32)) }, "public key of small order"],
  "a key of order 8": [
    { spki: spki(hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")) },
    "public key of small order",
  ],
  "a key that is not canonical": [
    { spki: spki(hex(`f0 ${"ff".repeat(31)}`)) },
    "public key not canonical",
  ],
  "an issuer's unique id": [{ uniqueIds: hex("81 02 00 01") }, "extensions"],
  "a subject's unique id": [{ uniqueIds: hex("82 02 00 01") }, "extensions"],
  "both unique ids": [{ uniqueIds: hex("81 02 00 01 82 02 00 01") }, "extensions"],
  "something behind the extensions": [
    { extensions: concatBytes(extensions(signsHandshakes), hex("82 01 00")) },
    "bytes beside the parts",
  ],
  "no extensions": [{ extensions: hex("") }, "extensions"],
  "no [3] around the extensions": [{ extensions: tlv(0x30, signsHandshakes) }, "extensions"],
  "two lists of extensions": [
    { extensions: tlv(0xa3, tlv(0x30, signsHandshakes), tlv(0x30, endEntity)) },
    "extensions",
  ],
  "an extension twice": [
    { extensions: extensions(signsHandshakes, signsHandshakes) },
    "extension twice",
  ],
  "both usages": [
    { extensions: extensions(signsHandshakes, signsCertificates) },
    "extension twice",
  ],
  "both constraints": [{ extensions: extensions(authority, endEntity) }, "extension twice"],
  "two subject key identifiers": [
    { extensions: extensions(subjectKey(identifier), subjectKey(new Uint8Array(20))) },
    "extension twice",
  ],
  "an unknown critical extension": [
    { extensions: extensions(hex("30 0d 06 03 2a 03 04 01 01 ff 04 03 04 01 00")) },
    "extension not in the profile",
  ],
  "an unknown extension": [
    { extensions: extensions(signsHandshakes, hex("30 0a 06 03 2a 03 04 04 03 04 01 00")) },
    "extension not in the profile",
  ],
  "a subject alternative name": [
    { extensions: extensions(signsHandshakes, hex("30 0b 06 03 55 1d 11 04 04 30 02 82 00")) },
    "extension not in the profile",
  ],
  "a BER boolean as criticality": [
    { extensions: extensions(hex("30 0e 06 03 55 1d 0f 01 01 01 04 04 03 02 07 80")) },
    "der boolean",
  ],
  "criticality written as false": [
    { extensions: extensions(hex("30 0e 06 03 55 1d 0f 01 01 00 04 04 03 02 07 80")) },
    "extension not in the profile",
  ],
  "usage not critical": [
    { extensions: extensions(hex("30 0b 06 03 55 1d 0f 04 04 03 02 07 80")) },
    "extension not in the profile",
  ],
  "a BER boolean as CA flag": [
    { extensions: extensions(hex("30 0f 06 03 55 1d 13 01 01 ff 04 05 30 03 01 01 01")) },
    "extension not in the profile",
  ],
  "a CA flag written as false": [
    { extensions: extensions(hex("30 0f 06 03 55 1d 13 01 01 ff 04 05 30 03 01 01 00")) },
    "extension not in the profile",
  ],
  "a path length": [
    {
      extensions: extensions(
        hex("30 12 06 03 55 1d 13 01 01 ff 04 08 30 06 01 01 ff 02 01 00"),
        signsCertificates,
      ),
    },
    "extension not in the profile",
  ],
  "usage bits with padding set": [
    { extensions: extensions(hex("30 0e 06 03 55 1d 0f 01 01 ff 04 04 03 02 07 81")) },
    "extension not in the profile",
  ],
  "usage with a trailing zero byte": [
    { extensions: extensions(hex("30 0f 06 03 55 1d 0f 01 01 ff 04 05 03 03 07 80 00")) },
    "extension not in the profile",
  ],
  "every usage": [
    { extensions: extensions(hex("30 0e 06 03 55 1d 0f 01 01 ff 04 04 03 02 01 fe")) },
    "extension not in the profile",
  ],
  "a byte behind the usage": [
    { extensions: extensions(hex("30 0f 06 03 55 1d 0f 01 01 ff 04 05 03 02 07 80 00")) },
    "extension not in the profile",
  ],
  "an extension of four parts": [
    { extensions: extensions(hex("30 10 06 03 55 1d 0f 01 01 ff 04 04 03 02 07 80 30 00")) },
    "extension not in the profile",
  ],
  "a key identifier of 19 bytes": [
    { extensions: extensions(subjectKey(new Uint8Array(19))) },
    "extension not in the profile",
  ],
  "a critical key identifier": [
    {
      extensions: extensions(
        tlv(0x30, hex("06 03 55 1d 0e 01 01 ff"), tlv(0x04, tlv(0x04, identifier))),
      ),
    },
    "extension not in the profile",
  ],
  "an authority key identifier with a serial": [
    {
      extensions: extensions(tlv(
        ...[0x30, hex("06 03 55 1d 23")] as const,
        tlv(0x04, tlv(0x30, tlv(0x80, identifier), hex("82 01 01"))),
      )),
    },
    "extension not in the profile",
  ],
  "a key identifier with a long length": [
    {
      extensions: extensions(
        tlv(0x30, hex("06 03 55 1d 0e"), tlv(0x04, hex("04 81 14"), identifier)),
      ),
    },
    "extension not in the profile",
  ],
  "an extension that is no sequence": [
    { extensions: extensions(hex("31 05 06 03 55 1d 0f")) },
    "extension not in the profile",
  ],
  "a name of two attributes": [
    {
      subject: tlv(
        ...[0x30, tlv(0x31, inner(inner(name("a"))))] as const,
        tlv(0x31, inner(inner(name("b")))),
      ),
    },
    "name",
  ],
  "a name of another attribute": [
    { subject: hex("30 0c 31 0a 30 08 06 03 55 04 0a 0c 01 61") },
    "name",
  ],
  "an empty name": [{ subject: hex("30 00") }, "name"],
  "an empty common name": [{ subject: name("") }, "name"],
  "a name of 65 bytes": [{ subject: name("x".repeat(65)) }, "name"],
  "a name in T61String": [{ subject: name("leaf", 0x14) }, "der type not used"],
  "a name in BMPString": [{ subject: name("leaf", 0x1e) }, "der type not used"],
  "a name in IA5String": [{ subject: name("leaf", 0x16) }, "der type not used"],
  "a name that is not UTF-8": [
    { subject: hex("30 0d 31 0b 30 09 06 03 55 04 03 0c 02 c0 80") },
    "der utf-8 string",
  ],
  "a name that does not print": [{ subject: name("a*b", 0x13) }, "der printable string"],
  "a name whose set is not in order": [
    {
      subject: tlv(
        0x30,
        tlv(0x31, hex("30 08 06 03 55 04 03 0c 01 62"), hex("30 08 06 03 55 04 03 0c 01 61")),
      ),
    },
    "der set order",
  ],
  "a validity of one time": [
    { validity: hex("30 0f 17 0d 3730303130313030303030305a") },
    "validity",
  ],
  "a validity of three times": [
    { validity: tlv(0x30, inner(always), hex("17 0d 3730303130313030303030305a")) },
    "bytes beside the parts",
  ],
  "a time without seconds": [
    { validity: hex("30 1a 17 0b 373030313031303030305a 17 0b 373030313031303030305a") },
    "der time",
  ],
  "a time with an offset": [
    {
      validity: tlv(0x30, tlv(0x17, utf8("700101000000+0000")), tlv(0x17, utf8("700101000000Z"))),
    },
    "der time",
  ],
  "a time with a fraction": [
    {
      validity: tlv(0x30, tlv(0x17, utf8("700101000000Z")), tlv(0x18, utf8("99991231235959.5Z"))),
    },
    "der time",
  ],
  "the thirtieth of February": [
    { validity: tlv(0x30, tlv(0x17, utf8("700230000000Z")), tlv(0x17, utf8("700101000000Z"))) },
    "der time",
  ],
  "the hour 24": [
    { validity: tlv(0x30, tlv(0x17, utf8("700101240000Z")), tlv(0x17, utf8("700101000000Z"))) },
    "der time",
  ],
  "four digits for a year that has two": [
    { validity: tlv(0x30, tlv(0x18, utf8("20000101000000Z")), tlv(0x17, utf8("700101000000Z"))) },
    "der time",
  ],
  "unused bits in the signature": [
    {
      signatureBits: (s) =>
        tlv(0x03, Uint8Array.of(1), s.map((byte, i) => i === 63 ? byte & 254 : byte)),
    },
    "signature shape",
  ],
  "eight unused bits in the signature": [
    { signatureBits: (s) => tlv(0x03, Uint8Array.of(8), s) },
    "der bit string",
  ],
  "padding bits set in the signature": [
    {
      signatureBits: (s) =>
        tlv(0x03, Uint8Array.of(1), s.map((byte, i) => i === 63 ? byte | 1 : byte)),
    },
    "der bit string",
  ],
  "a signature of 63 bytes": [
    { signatureBits: (s) => tlv(0x03, Uint8Array.of(0), s.subarray(0, 63)) },
    "signature shape",
  ],
  "a signature of 65 bytes": [
    { signatureBits: (s) => tlv(0x03, Uint8Array.of(0, 0), s) },
    "signature shape",
  ],
  "a signature in an octet string": [
    { signatureBits: (s) => tlv(0x04, Uint8Array.of(0), s) },
    "signature shape",
  ],
  "a signature in pieces": [
    { signatureBits: (s) => tlv(0x23, tlv(0x03, Uint8Array.of(0), s)) },
    "der type not used",
  ],
  "an empty signature": [{ signatureBits: () => hex("03 00") }, "der bit string"],
  "a zero signature": [
    { signatureBits: () => tlv(0x03, new Uint8Array(65)) },
    "signature",
  ],
  "another's signature": [{ signer: otherKey.signer }, "signature"],
};
