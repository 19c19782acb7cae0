/**
 * PEM (RFC 7468): one block of base64 between two lines. The reader is as lenient about line ends
 * and line lengths as editors and mail demand, and about nothing else.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { decodeBase64, encodeBase64 } from "@std/encoding";
import { DecodeError } from "../base/decode.ts";

/** A decoded block. */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Bytes;
}

/** The block with lines of 64 characters and a final line end. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** Reads exactly one block with nothing but white space around it. Never throws. */
export function decodePem(text: string): PemBlock | DecodeError {
  const match = /^\s*-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]*)-----END \1-----\s*$/
    .exec(text);
  const [, label, body = ""] = match ?? [];
  if (label === undefined) return new DecodeError("pem malformed");
  const base64 = body.replaceAll(/\s/g, "");
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    return new DecodeError("pem base64");
  }
  return { label, bytes: decodeBase64(base64) };
}
