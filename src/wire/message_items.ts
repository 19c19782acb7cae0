/**
 * The items of a message's array, behind its number: what the decoders of all messages share.
 *
 * @module
 */
import { DecodeError } from "../base/decode.ts";
import type { CborValue } from "./cbor.ts";

/** What stands behind the number. */
export type MessageItems = readonly CborValue[];

/** The message is not of the form that its number says. */
export const wrongShape = new DecodeError("message shape");

/** Decodes each value, or says what is wrong with the first that is not right. */
export function decodeEach<T>(
  values: MessageItems,
  decodeItem: (value: CborValue) => T | DecodeError,
): T[] | DecodeError {
  const decoded: T[] = [];
  for (const value of values) {
    const item = decodeItem(value);
    if (item instanceof DecodeError) return item;
    decoded.push(item);
  }
  return decoded;
}
