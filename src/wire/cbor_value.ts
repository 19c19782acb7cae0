/** What mesh says in CBOR. @module */

/** A value that has exactly one form on the wire. */
export type CborValue =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number | string, CborValue>;
