/**
 * `@std/encoding`, typed: the part that mesh uses. To take it from JSR instead, map `@std/encoding`
 * to `jsr:@std/encoding@1` and delete this file.
 *
 * @module
 */
import * as std from "deno-std/encoding/mod.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** RFC 4648 §4 base64, padded. */
export const encodeBase64: (data: Uint8Array) => string = std.encodeBase64;
/** Bytes of RFC 4648 §4 base64. Throws on anything else. */
export const decodeBase64: (text: string) => Bytes = std.decodeBase64;
/** RFC 4648 §6 base32, upper case, padded. */
export const encodeBase32: (data: Uint8Array) => string = std.encodeBase32;
