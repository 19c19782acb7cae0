// First: the X.509 library looks for what this defines while it loads.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PublicKey as LibraryKey,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { assertEquals } from "@std/assert";
import { type Bytes, toHex } from "../base/bytes.ts";
import {
  type IdentityKey,
  nodeIdOf,
  privateKeyOfSeed,
  type PublicKey,
  sha256,
  spkiOf,
} from "../crypto/mod.ts";
import { nodeIdToBytes } from "../wire/node_id.ts";
import { makeLeafCertificate, makeRootCertificate } from "./certificate.ts";

function commonName(text: string): Name {
  return new Name([{ CN: [{ utf8String: text }] }]);
}

async function madeByLibrary(
  signer: IdentityKey,
  serialNumber: string,
  names: { readonly issuer: string; readonly subject: string },
  publicKey: PublicKey,
  extensions: Extension[],
): Promise<Bytes> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber,
    issuer: commonName(names.issuer),
    subject: commonName(names.subject),
    notBefore: new Date(0),
    notAfter: new Date(Date.UTC(9999, 11, 31, 23, 59, 59)),
    publicKey: new LibraryKey(spkiOf(publicKey)),
    signingKey: signer.privateKey,
    signingAlgorithm: { name: "Ed25519" },
    extensions,
  });
  return new Uint8Array(certificate.rawData);
}

Deno.test("an X.509 library makes the same certificates of the same parts, byte for byte", async () => {
  for (let seed = 0; seed < 32; seed++) {
    const key = await privateKeyOfSeed(new Uint8Array(32).fill(seed));
    const leafKey = (await privateKeyOfSeed(new Uint8Array(32).fill(100 + seed))).publicKey;
    const id = await nodeIdOf(key.publicKey);
    const identifier = toHex(nodeIdToBytes(id).subarray(0, 20));
    const root = await madeByLibrary(key, "01", { issuer: id, subject: id }, key.publicKey, [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      new SubjectKeyIdentifierExtension(identifier),
    ]);
    assertEquals(toHex(await makeRootCertificate(key, id)), toHex(root), `root of seed ${seed}`);
    const serial = (await sha256(spkiOf(leafKey))).slice(0, 16);
    serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
    const names = { issuer: id, subject: "mesh leaf" };
    const leaf = await madeByLibrary(key, toHex(serial), names, leafKey, [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new AuthorityKeyIdentifierExtension(identifier),
    ]);
    assertEquals(
      toHex(await makeLeafCertificate(key, id, leafKey)),
      toHex(leaf),
      `leaf of seed ${seed}`,
    );
  }
});
