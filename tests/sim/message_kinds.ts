/**
 * What kind of message a datagram of a large world carries. The stand-in's seal hides nothing, so a
 * meter can look inside; under real cryptography every datagram is just sealed.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import {
  decodeAnswerBody,
  decodeDatagram,
  decodeRequestBody,
  decodeTellBody,
} from "../../src/wire/datagram.ts";
import { messageNumbers } from "../../src/wire/message.ts";

const names = new Map<number, string>(
  Object.entries(messageNumbers).map(([name, number]) => [number, name]),
);
/** Bytes of the stand-in's tag. */
const tagLength = 16;

/** The number that a message begins with: an array's head, then a small integer. */
function nameOf(message: Bytes): string {
  const [, number = -1] = message;
  return names.get(number) ?? "unknown message";
}

/** `probe`, `probe answer`, `who-are-you`, … */
export function messageKindOf(bytes: Bytes): string {
  const datagram = decodeDatagram(bytes);
  if (isDecodeError(datagram)) return "not a datagram";
  if (!("sealed" in datagram)) return datagram.kind;
  const plain = datagram.sealed.subarray(0, -tagLength);
  const body = datagram.kind === "answer"
    ? decodeAnswerBody(plain)
    : datagram.kind === "tell"
    ? decodeTellBody(plain)
    : decodeRequestBody(plain);
  if (isDecodeError(body)) return "sealed";
  const name = nameOf(body.message);
  return datagram.kind === "request" ? name : `${name} ${datagram.kind}`;
}
