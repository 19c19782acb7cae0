/**
 * The stand-in's seal: the plaintext as it is, and a tag of 16 bytes that another key, header or
 * plaintext does not have. NOT SECURE: it hides nothing, and anybody who reads the key's bytes or
 * wants to collide can forge it.
 *
 * @module
 */
import { type Bytes } from "../../../src/base/bytes.ts";
import { mixedWord, mixInto } from "./mixing.ts";

const tagLength = 16;
const tagLabel = 0x40;

/** The key as it stands before what is tagged: its first words stand for it. */
function labelOf(key: Uint8Array): number {
  const last = key.length - 4;
  return tagLabel ^ ((key[0] ?? 0) | ((key[1] ?? 0) << 8) | ((key[2] ?? 0) << 16) |
    ((key[3] ?? 0) << 24)) ^
    Math.imul(
      (key[last] ?? 0) | ((key[last + 1] ?? 0) << 8) | ((key[last + 2] ?? 0) << 16) |
        ((key[last + 3] ?? 0) << 24),
      0x9e3779b1,
    );
}

/** header ‖ plaintext ‖ tag, where `associated` and header are tagged along. NOT SECURE. */
export function sealMixed(
  key: Uint8Array,
  associated: Uint8Array,
  header: Uint8Array,
  plaintext: Uint8Array,
): Bytes {
  const end = header.length + plaintext.length;
  const sealed = new Uint8Array(end + tagLength);
  sealed.set(header, 0);
  sealed.set(plaintext, header.length);
  tagInto(sealed, end, key, associated, plaintext);
  return sealed;
}

function tagInto(
  out: Uint8Array,
  from: number,
  key: Uint8Array,
  associated: Uint8Array,
  plaintext: Uint8Array,
): void {
  mixInto(out, from, tagLength, mixedWord(labelOf(key), associated), plaintext);
}

/** What an arrived tag is compared with. */
const rightTag = new Uint8Array(tagLength);

/** The plaintext of plaintext ‖ tag; `undefined` if the tag is another's. Views, no copies. */
export function openMixed(
  key: Uint8Array,
  associated: Uint8Array,
  sealed: Bytes,
): Bytes | undefined {
  const end = sealed.length - tagLength;
  if (end < 0) return undefined;
  const plaintext = sealed.subarray(0, end);
  tagInto(rightTag, 0, key, associated, plaintext);
  for (let i = 0; i < tagLength; i++) if (rightTag[i] !== sealed[end + i]) return undefined;
  return plaintext;
}
