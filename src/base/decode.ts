/**
 * What a decoder returns when the bytes are not what they should be: a value, never an exception.
 *
 * @module
 */

/** Why bytes were not accepted. `reason` is a short fixed phrase, fit for counting. */
export class DecodeError {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Whether a decoder refused. */
export function isDecodeError<T>(result: T | DecodeError): result is DecodeError {
  return result instanceof DecodeError;
}
