/**
 * Our own promises, checked. Never used for what a peer, a person or a disk may do: those get a
 * reason, not an exception.
 *
 * @module
 */

/** A promise of this program to itself was broken: a bug. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws `InvariantError` unless `condition` holds. */
export function invariant(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new InvariantError(`Broken promise: ${promise}`);
}

/** For the end of an exhaustive `switch`: compiles only when every case was handled. */
export function unreachable(value: never): never {
  throw new InvariantError(`Broken promise: unhandled case ${JSON.stringify(value)}`);
}
