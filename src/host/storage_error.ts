/** Why the storage did not do what was asked, in words a person can use. @module */

/** What was wrong; codes are append-only. */
export type StorageErrorCode =
  | "directory-open-to-others"
  | "file-open-to-others"
  | "not-a-file"
  | "not-a-directory"
  | "wrong-owner"
  | "unusable";

/** The directory or a file in it cannot be used; the message says what to do where we know it. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** A path as a word of a shell command. */
export function commandWord(path: string): string {
  return /^[\w./@%+,:=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function stateOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}

/** The system's error in words; a `StorageError` as it is. */
export function storageErrorOf(action: string, path: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  return new StorageError("unusable", `Cannot ${action} "${path}": ${stateOf(error)}`, error);
}
