/**
 * One node per state directory: an exclusive lock on a file that names its holder. The system takes
 * the lock back when the process ends, however it ends.
 *
 * @module
 */
import { join } from "node:path";
import { machine } from "./machine.ts";
import { StorageError, storageErrorOf } from "./storage_error.ts";

const lockName = "lock";

/** The lock, held until it is released or the process ends. */
export interface StateLock {
  /** Gives the lock up; more than once does nothing. */
  release(): Promise<void>;
}

/** Another process has the lock. */
export interface StateLockTaken {
  /** Its process id, if it could be read. */
  readonly heldBy: number | undefined;
}

async function readPid(file: Deno.FsFile): Promise<number | undefined> {
  const buffer = new Uint8Array(32);
  const length = await file.read(buffer);
  const match = /^(\d{1,10})\n/.exec(new TextDecoder().decode(buffer.subarray(0, length ?? 0)));
  return match === null ? undefined : Number(match[1]);
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError(
      "unusable",
      `Cannot run a node on this state directory, which it must be able to write: ${reason}`,
      error,
    );
  }
}

/** Names the holder. On a full disk nobody is named: it is the lock that counts. */
async function writePid(file: Deno.FsFile): Promise<void> {
  try {
    await file.truncate();
    await file.write(new TextEncoder().encode(`${machine.pid}\n`));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}

/**
 * Takes the lock of the directory, which must exist, or tells who has it. Rejects with a
 * `StorageError` if the file cannot be opened. The file stays when the lock is given up: removing it
 * would let two processes lock two files of one name.
 */
export async function lockState(directory: string): Promise<StateLock | StateLockTaken> {
  const path = join(directory, lockName);
  const file = await openLock(path);
  try {
    if (!await file.tryLock(true)) {
      const heldBy = await readPid(file);
      file.close();
      return { heldBy };
    }
    await writePid(file);
  } catch (error) {
    file.close();
    throw storageErrorOf("lock", path, error);
  }
  let held = true;
  return {
    release: async () => {
      if (!held) return;
      held = false;
      await file.unlock();
      file.close();
    },
  };
}
