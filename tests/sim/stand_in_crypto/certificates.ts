/**
 * A stand-in for `src/identity/certificate.ts`: certificates of the profile, signed by the stand-in,
 * which the real judge reads byte for byte. The library that makes the real ones asks the platform to
 * sign, which knows no key of the stand-in's. NOT SECURE.
 *
 * @module
 */
import { type Bytes, concatBytes } from "../../../src/base/bytes.ts";
import type { IdentityKey, PublicKey } from "../../../src/crypto/identity_key.ts";
import { type NodeId } from "../../../src/wire/node_id.ts";
import {
  always,
  authority,
  ed25519,
  extensions,
  name,
  signsCertificates,
  signsHandshakes,
  spki,
  tlv,
  version3,
} from "../../fixtures/certificate_pieces.ts";
import { signatureOf } from "./signing.ts";

/** A positive serial number; the profile asks for no more. */
const serial = Uint8Array.of(0x02, 0x01, 0x01);
const noUnusedBits = Uint8Array.of(0);
const rootExtensions = extensions(authority, signsCertificates);
const leafExtensions = extensions(signsHandshakes);

function certificate(
  signer: IdentityKey,
  issuer: string,
  subject: string,
  publicKey: PublicKey,
  extended: Bytes,
): Bytes {
  const tbs = tlv(
    0x30,
    version3,
    serial,
    ed25519,
    name(issuer),
    always,
    name(subject),
    spki(publicKey),
    extended,
  );
  const signature = tlv(0x03, noUnusedBits, signatureOf(signer.publicKey, tbs));
  return tlv(0x30, concatBytes(tbs, ed25519, signature));
}

/** The root certificate, DER: the same bytes for the same key, always. */
export function makeRootCertificate(key: IdentityKey, id: NodeId): Promise<Bytes> {
  return Promise.resolve(certificate(key, id, id, key.publicKey, rootExtensions));
}

/** A leaf certificate, DER, signed by the root's key. */
export function makeLeafCertificate(
  root: IdentityKey,
  id: NodeId,
  leafKey: PublicKey,
): Promise<Bytes> {
  return Promise.resolve(certificate(root, id, "mesh leaf", leafKey, leafExtensions));
}
