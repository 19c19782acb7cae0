/**
 * The two notices that the sealing layer itself has to say. A notice is message 0, answer only:
 * CBOR `[0, code, value]`. PROTOCOL §6; all other messages are opaque here.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { asArray, asUint, decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { messageNumbers, noticeCodes } from "../wire/message.ts";

/** Most bytes of a time notice: array head 1, two small integers 2, an integer 9. */
const timeNoticeBytesMax = 12;

/** "My time is": `[0, 1, milliseconds]`, 4 to 12 bytes. */
export function encodeTimeNotice(time: number): Bytes {
  return encodeCbor([messageNumbers.notice, noticeCodes.myTimeIs, time]);
}

/** "Ask again with this cookie": `[0, 2, 0]`, 4 bytes. */
export const cookieNeededNotice: Bytes = encodeCbor([
  messageNumbers.notice,
  noticeCodes.cookieNeeded,
  0,
]);

/** The time in a "my time is", or `undefined` for every other message. */
export function decodeTimeNotice(message: Uint8Array): number | undefined {
  // Cheap first: this looks at every answer, and nearly none is a notice.
  if (message.length > timeNoticeBytesMax || message[0] !== 0x83 || message[1] !== 0) {
    return undefined;
  }
  const value = decodeCbor(message);
  const items = value instanceof DecodeError ? undefined : asArray(value, 3);
  return items?.[1] === noticeCodes.myTimeIs ? asUint(items[2]) : undefined;
}
