import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, copyBytes, equalBytes, fromHex, utf8 } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { Prng } from "../base/prng.ts";
import { ChainRefusal, isChainRefusal, judgeChain } from "./chain.ts";
import { identityOfSeed } from "./identity.ts";
import { decodeCertificate, encodeCertificate } from "./profile.ts";

// The certificates here are written by a builder of the test's own, which can write what no honest
// encoder would. Every variant is signed again by the genuine root wherever its owner could have
// done so: it must be refused for its shape, not because a signature happens to fail.

function tlv(tag: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...parts);
  const n = content.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return concatBytes(Uint8Array.of(tag, ...length), content);
}

function hex(text: string): Bytes {
  const bytes = fromHex(text.replaceAll(" ", ""));
  assert(bytes !== undefined, `not hexadecimal: ${text}`);
  return bytes;
}

interface TestKey {
  readonly raw: Bytes;
  readonly signer: CryptoKey;
}

async function keyOf(seedByte: number): Promise<TestKey> {
  const pkcs8 = concatBytes(
    hex("302e020100300506032b657004220420"),
    new Uint8Array(32).fill(seedByte),
  );
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", key);
  const base64 = (jwk.x ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return { raw: Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), signer: key };
}

const ed25519 = hex("30 05 06 03 2b 65 70");
const version3 = hex("a0 03 02 01 02");
const authority = hex("30 0f 06 03 55 1d 13 01 01 ff 04 05 30 03 01 01 ff");
const endEntity = hex("30 0c 06 03 55 1d 13 01 01 ff 04 02 30 00");
const signsCertificates = hex("30 0e 06 03 55 1d 0f 01 01 ff 04 04 03 02 02 04");
const signsHandshakes = hex("30 0e 06 03 55 1d 0f 01 01 ff 04 04 03 02 07 80");
const always = hex("30 20 17 0d 37303031303130303030 30305a 18 0f 39393939313233313233353935395a");
const identifier = new Uint8Array(20).fill(7);

function subjectKey(bytes: Uint8Array): Bytes {
  return tlv(0x30, hex("06 03 55 1d 0e"), tlv(0x04, tlv(0x04, bytes)));
}

function authorityKey(bytes: Uint8Array): Bytes {
  return tlv(0x30, hex("06 03 55 1d 23"), tlv(0x04, tlv(0x30, tlv(0x80, bytes))));
}

function name(text: string, tag = 0x0c): Bytes {
  return tlv(0x30, tlv(0x31, tlv(0x30, hex("06 03 55 04 03"), tlv(tag, utf8(text)))));
}

function spki(raw: Uint8Array): Bytes {
  return concatBytes(hex("30 2a 30 05 06 03 2b 65 70 03 21 00"), raw);
}

/** A certificate as pieces of DER, each of which a variant may replace. */
interface Pieces {
  readonly version: Bytes;
  readonly serial: Bytes;
  readonly innerAlgorithm: Bytes;
  readonly issuer: Bytes;
  readonly validity: Bytes;
  readonly subject: Bytes;
  readonly spki: Bytes;
  readonly uniqueIds: Bytes;
  /** The whole of [3]. */
  readonly extensions: Bytes;
  readonly outerAlgorithm: Bytes;
  readonly signer: CryptoKey;
  readonly signatureBits: (signature: Bytes) => Bytes;
  readonly wrapTbs: (content: Bytes) => Bytes;
  readonly wrap: (content: Bytes) => Bytes;
}

async function build(pieces: Pieces): Promise<Bytes> {
  const tbs = pieces.wrapTbs(concatBytes(
    ...[pieces.version, pieces.serial, pieces.innerAlgorithm, pieces.issuer, pieces.validity],
    ...[pieces.subject, pieces.spki, pieces.uniqueIds, pieces.extensions],
  ));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pieces.signer, tbs));
  return pieces.wrap(concatBytes(tbs, pieces.outerAlgorithm, pieces.signatureBits(signature)));
}

function extensions(...each: readonly Uint8Array[]): Bytes {
  return tlv(0xa3, tlv(0x30, ...each));
}

const base32 = "abcdefghijklmnopqrstuvwxyz234567";

/** Node id text by the definition, without the code under test. */
async function idOf(raw: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", spki(raw)));
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("").padEnd(260, "0");
  return (bits.match(/.{5}/g) ?? []).map((five) => base32[parseInt(five, 2)]).join("");
}

const rootKey = await keyOf(1);
const leafKey = await keyOf(2);
const otherKey = await keyOf(3);
const rootId = await idOf(rootKey.raw);
const otherId = await idOf(otherKey.raw);

const genuineRoot: Pieces = {
  version: version3,
  serial: hex("02 01 01"),
  innerAlgorithm: ed25519,
  issuer: name(rootId),
  validity: always,
  subject: name(rootId),
  spki: spki(rootKey.raw),
  uniqueIds: hex(""),
  extensions: extensions(authority, signsCertificates),
  outerAlgorithm: ed25519,
  signer: rootKey.signer,
  signatureBits: (signature) => tlv(0x03, Uint8Array.of(0), signature),
  wrapTbs: (content) => tlv(0x30, content),
  wrap: (content) => tlv(0x30, content),
};

const genuineLeaf: Pieces = {
  ...genuineRoot,
  serial: hex("02 02 12 34"),
  subject: name("some leaf"),
  spki: spki(leafKey.raw),
  extensions: extensions(signsHandshakes),
};

async function judgePieces(leaf: Partial<Pieces>, root: Partial<Pieces>): Promise<string> {
  return reasonOf(
    await build({ ...genuineLeaf, ...leaf }),
    await build({ ...genuineRoot, ...root }),
  );
}

async function reasonOf(leaf: Bytes, root: Bytes): Promise<string> {
  const judged = await judgeChain({ leaf, root });
  return isChainRefusal(judged) ? judged.reason : "accepted";
}

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

Deno.test("a genuine chain names the peer by the root's key", async () => {
  const leaf = await build(genuineLeaf);
  const judged = await judgeChain({ leaf, root: await build(genuineRoot) });
  assert(!isChainRefusal(judged), isChainRefusal(judged) ? judged.reason : "");
  assertEquals(judged.id.toString(), rootId);
  assertEquals(copyBytes(judged.publicKey), rootKey.raw);
  assertEquals(judged.leafHash, new Uint8Array(await crypto.subtle.digest("SHA-256", leaf)));
});

Deno.test("every freedom that the profile leaves is accepted", async () => {
  const utcAndUtc = hex("30 1e 17 0d 3439313233313233353935395a 17 0d 3530303130313030303030305a");
  const leapDay = hex("30 1e 17 0d 3030303232393030303030305a 17 0d 3030303232393030303030305a");
  const fourDigits = hex(
    "30 22 18 0f 32303530303130313030303030305a 18 0f 31393439313233313233353935395a",
  );
  const leaves: Record<string, Partial<Pieces>> = {
    "end-entity flag": { extensions: extensions(signsHandshakes, endEntity) },
    "extensions in another order": { extensions: extensions(endEntity, signsHandshakes) },
    "key identifiers": {
      extensions: extensions(subjectKey(identifier), signsHandshakes, authorityKey(identifier)),
    },
    "serial of 20 bytes": { serial: tlv(0x02, new Uint8Array(20).fill(0x7f)) },
    "serial with a sign byte": { serial: hex("02 02 00 80") },
    "subject of 64 bytes": { subject: name("x".repeat(64)) },
    "subject in UTF-8": { subject: name("Blatt ä 葉") },
    "subject as PrintableString": { subject: name("leaf", 0x13) },
    "expired before it began": { validity: utcAndUtc },
    "a leap day": { validity: leapDay },
    "times of four digits, backwards": { validity: fourDigits },
  };
  for (const [what, leaf] of Object.entries(leaves)) {
    assertEquals(await judgePieces(leaf, {}), "accepted", what);
  }
  const roots: Record<string, Partial<Pieces>> = {
    "key identifiers": {
      extensions: extensions(
        ...[subjectKey(identifier), authorityKey(identifier), authority, signsCertificates],
      ),
    },
    "validity long over": { validity: utcAndUtc },
  };
  for (const [what, root] of Object.entries(roots)) {
    assertEquals(await judgePieces({}, root), "accepted", what);
  }
  const printable = { issuer: name(rootId, 0x13), subject: name(rootId, 0x13) };
  assertEquals(await judgePieces({ issuer: name(rootId, 0x13) }, printable), "accepted");
});

// Variants that both certificates can be given; the reason is prefixed by the certificate's name.
const rotten: Record<string, readonly [Partial<Pieces>, string]> = {
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

for (const which of ["leaf", "root"] as const) {
  Deno.test(`a rotten ${which} is refused for what is rotten`, async (t) => {
    for (const [what, [pieces, reason]] of Object.entries(rotten)) {
      await t.step(what, async () => {
        const found = which === "leaf"
          ? await judgePieces(pieces, {})
          : await judgePieces({}, pieces);
        assertEquals(found, `${which}: ${reason}`);
      });
    }
  });
}

Deno.test("chains whose parts do not belong together are refused", async (t) => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  const otherRoot = await build({
    ...genuineRoot,
    issuer: name(otherId),
    subject: name(otherId),
    spki: spki(otherKey.raw),
    signer: otherKey.signer,
  });
  const cases: Record<string, readonly [Bytes, Bytes, string]> = {
    "swapped": [root, leaf, "root: not its own issuer"],
    "the root twice": [root, root, "leaf: named as its issuer"],
    "the leaf twice": [leaf, leaf, "root: not its own issuer"],
    "a stolen leaf under the thief's root": [leaf, otherRoot, "leaf: another issuer"],
    "a stolen leaf under a root with the victim's name": [
      leaf,
      await build({ ...genuineRoot, spki: spki(otherKey.raw), signer: otherKey.signer }),
      "root: not named by its id",
    ],
    "the thief's leaf under a stolen root": [
      await build({ ...genuineLeaf, spki: spki(otherKey.raw), signer: otherKey.signer }),
      root,
      "leaf: signature",
    ],
    "a self-signed leaf under a stolen root": [
      await build({ ...genuineLeaf, signer: leafKey.signer }),
      root,
      "leaf: signature",
    ],
    "a leaf signed by a leaf": [
      await build({
        ...genuineLeaf,
        issuer: name("some leaf"),
        subject: name("deeper"),
        signer: leafKey.signer,
        spki: spki(otherKey.raw),
      }),
      leaf,
      "root: not its own issuer",
    ],
    "a root that another signed": [
      leaf,
      await build({ ...genuineRoot, signer: otherKey.signer }),
      "root: signature",
    ],
    "a root issued by another name": [
      leaf,
      await build({ ...genuineRoot, issuer: name(otherId) }),
      "root: not its own issuer",
    ],
    "a root named as another node": [
      await build({ ...genuineLeaf, issuer: name(otherId) }),
      await build({ ...genuineRoot, issuer: name(otherId), subject: name(otherId) }),
      "root: not named by its id",
    ],
    "a root named in upper case": [
      await build({ ...genuineLeaf, issuer: name(rootId.toUpperCase()) }),
      await build({
        ...genuineRoot,
        issuer: name(rootId.toUpperCase()),
        subject: name(rootId.toUpperCase()),
      }),
      "root: not named by its id",
    ],
    "a root named with a byte order mark": [
      await build({ ...genuineLeaf, issuer: name(`\ufeff${rootId}`) }),
      await build({
        ...genuineRoot,
        issuer: name(`\ufeff${rootId}`),
        subject: name(`\ufeff${rootId}`),
      }),
      "root: not named by its id",
    ],
    "a leaf whose issuer differs by case": [
      await build({ ...genuineLeaf, issuer: name(rootId.toUpperCase()) }),
      root,
      "leaf: another issuer",
    ],
    "a leaf whose issuer differs by string type": [
      await build({ ...genuineLeaf, issuer: name(rootId, 0x13) }),
      root,
      "leaf: another issuer",
    ],
    "a root whose issuer differs by string type": [
      leaf,
      await build({ ...genuineRoot, issuer: name(rootId, 0x13) }),
      "root: not its own issuer",
    ],
    "a leaf named as the root": [
      await build({ ...genuineLeaf, subject: name(rootId) }),
      root,
      "leaf: named as its issuer",
    ],
    "a leaf with the root's key": [
      await build({ ...genuineLeaf, spki: spki(rootKey.raw) }),
      root,
      "leaf: the root's key",
    ],
    "a leaf that is a CA": [
      await build({ ...genuineLeaf, extensions: extensions(authority, signsHandshakes) }),
      root,
      "leaf: wrong extensions",
    ],
    "a leaf that may sign certificates": [
      await build({ ...genuineLeaf, extensions: extensions(signsCertificates) }),
      root,
      "leaf: wrong extensions",
    ],
    "a leaf without usage": [
      await build({ ...genuineLeaf, extensions: extensions(endEntity) }),
      root,
      "leaf: wrong extensions",
    ],
    "a leaf with an empty list of extensions": [
      await build({ ...genuineLeaf, extensions: extensions() }),
      root,
      "leaf: wrong extensions",
    ],
    "a root that is no CA": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(endEntity, signsCertificates) }),
      "root: wrong extensions",
    ],
    "a root without the CA flag": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(signsCertificates) }),
      "root: wrong extensions",
    ],
    "a root without usage": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(authority) }),
      "root: wrong extensions",
    ],
    "a root that signs handshakes": [
      leaf,
      await build({ ...genuineRoot, extensions: extensions(authority, signsHandshakes) }),
      "root: wrong extensions",
    ],
    "an empty leaf": [hex(""), root, "leaf: der empty"],
    "an empty root": [leaf, hex(""), "root: der empty"],
    "a junk root": [leaf, utf8("junk, not a certificate"), "root: der truncated"],
    "a leaf in PEM": [
      utf8(`-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...leaf))}\n-----END`),
      root,
      "leaf: der trailing bytes",
    ],
    "a leaf in base64": [
      utf8(btoa(String.fromCharCode(...leaf))),
      root,
      "leaf: der trailing bytes",
    ],
    "a leaf over 4 KiB": [new Uint8Array(4_097).fill(0x30), root, "leaf: too long"],
    "a root over 4 KiB": [leaf, new Uint8Array(4_097).fill(0x30), "root: too long"],
    "a bottomless leaf": [
      Array.from({ length: 1_000 }).reduce<Bytes>((c) => tlv(0x30, c), hex("05 00")),
      root,
      "leaf: der too deep",
    ],
  };
  for (const [what, [oneLeaf, oneRoot, reason]] of Object.entries(cases)) {
    await t.step(what, async () => assertEquals(await reasonOf(oneLeaf, oneRoot), reason));
  }
});

Deno.test("a certificate over 4 KiB is refused unread, however genuine", async () => {
  const long = extensions(
    signsHandshakes,
    ...Array.from({ length: 140 }, () => subjectKey(identifier)),
  );
  assertEquals(await judgePieces({ extensions: long }, {}), "leaf: too long");
});

Deno.test("a small-order root cannot make a chain that anyone may sign", async () => {
  // Under the neutral element as key, the signature with R neutral and S zero fits every message.
  const neutral = Uint8Array.of(1, ...new Uint8Array(31));
  const id = await idOf(neutral);
  const forged = (): Bytes => tlv(0x03, Uint8Array.of(0, 1), new Uint8Array(63));
  const pieces = { issuer: name(id), signatureBits: forged };
  assertEquals(
    await judgePieces(pieces, { ...pieces, subject: name(id), spki: spki(neutral) }),
    "root: public key of small order",
  );
});

Deno.test("no truncation of a genuine certificate passes", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  for (let length = 0; length < leaf.length; length++) {
    assert(await reasonOf(leaf.slice(0, length), root) !== "accepted", `leaf cut to ${length}`);
  }
  for (let length = 0; length < root.length; length++) {
    assert(await reasonOf(leaf, root.slice(0, length)) !== "accepted", `root cut to ${length}`);
  }
});

function flipped(bytes: Uint8Array, bit: number): Bytes {
  const copy = copyBytes(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

Deno.test("no flip of one bit in a genuine chain passes", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  for (let bit = 0; bit < leaf.length * 8; bit++) {
    assert(await reasonOf(flipped(leaf, bit), root) !== "accepted", `bit ${bit} of the leaf`);
  }
  for (let bit = 0; bit < root.length * 8; bit++) {
    assert(await reasonOf(leaf, flipped(root, bit)) !== "accepted", `bit ${bit} of the root`);
  }
});

Deno.test("no byte added anywhere in a genuine chain passes", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  for (const added of [0x00, 0x05, 0x30, 0xff]) {
    for (let at = 0; at <= leaf.length; at++) {
      const longer = concatBytes(leaf.subarray(0, at), Uint8Array.of(added), leaf.subarray(at));
      assert(await reasonOf(longer, root) !== "accepted", `${added} at ${at} of the leaf`);
    }
    for (let at = 0; at <= root.length; at++) {
      const longer = concatBytes(root.subarray(0, at), Uint8Array.of(added), root.subarray(at));
      assert(await reasonOf(leaf, longer) !== "accepted", `${added} at ${at} of the root`);
    }
  }
});

function mutated(source: Bytes, prng: Prng): Bytes {
  if (prng.below(10) === 0) {
    return Uint8Array.from({ length: prng.below(64) }, () => prng.below(256));
  }
  const bytes = source.slice();
  for (let i = 1 + prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
  if (prng.below(4) > 0) return bytes;
  const [at, until] = [prng.below(bytes.length), prng.below(bytes.length)];
  return concatBytes(bytes.subarray(0, at), bytes.subarray(until));
}

Deno.test("random and mutated certificates never throw, and what is read can be written", async () => {
  const seed = [...crypto.getRandomValues(new Uint32Array(4))];
  const prng = new Prng(seed);
  const [leaf, root] = [await build(genuineLeaf), await build(genuineRoot)];
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutated(round % 2 === 0 ? leaf : root, prng);
    const read = decodeCertificate(bytes);
    const faithful = read instanceof DecodeError || equalBytes(encodeCertificate(read), bytes);
    assert(faithful, `seed ${seed.join(" ")}, round ${round}`);
  }
});

Deno.test("random and mutated chains never throw and never pass", async () => {
  const seed = [...crypto.getRandomValues(new Uint32Array(4))];
  const prng = new Prng(seed);
  const [leaf, root] = [await build(genuineLeaf), await build(genuineRoot)];
  for (let round = 0; round < 10_000; round++) {
    const chain = round % 2 === 0
      ? { leaf: mutated(leaf, prng), root }
      : { leaf, root: mutated(root, prng) };
    const judged = await judgeChain(chain);
    const same = equalBytes(chain.leaf, leaf) && equalBytes(chain.root, root);
    assert(same || judged instanceof ChainRefusal, `seed ${seed.join(" ")}, round ${round}`);
  }
});

Deno.test("bytes that change while they are judged change nothing", async () => {
  const leaf = await build(genuineLeaf);
  const root = await build(genuineRoot);
  const expected = new Uint8Array(await crypto.subtle.digest("SHA-256", leaf));
  const judging = judgeChain({ leaf, root });
  leaf.fill(0);
  root.fill(0);
  const judged = await judging;
  assert(!isChainRefusal(judged));
  assertEquals(judged.leafHash, expected);
});

Deno.test("a node's own chain passes the judge", async () => {
  const identity = await identityOfSeed(new Uint8Array(32).fill(9));
  const { leaf, root, leafHash } = await identity.newLeaf();
  const judged = await judgeChain({ leaf, root });
  assert(!isChainRefusal(judged));
  assertEquals(judged, { id: identity.id, publicKey: identity.publicKey, leafHash });
});
