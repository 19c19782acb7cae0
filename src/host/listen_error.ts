/**
 * Why a port could not be opened, in the words of the person who has to do something about it.
 *
 * @module
 */

/** A port could not be opened. `code` is the system's, `EADDRINUSE` for a port that is taken. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code: string;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The system's code of a failure to listen; empty if it has none. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** The failure to listen on `port`, said. */
export function listenError(port: number, cause: unknown): ListenError {
  const code = codeOf(cause);
  const state = code === "EADDRINUSE"
    ? "the port is taken"
    : code === "EACCES"
    ? "permission denied"
    : cause instanceof Error
    ? cause.message
    : "unknown error";
  return new ListenError(`Cannot listen on port ${port}: ${state}`, code, cause);
}
