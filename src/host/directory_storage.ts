/**
 * The node's private directory on disk. Everything in it is its owner's alone; what is found open to
 * others is refused with the command that closes it, since a key that others could read may have
 * been read. Files are replaced so that a crash leaves the old bytes or the new.
 *
 * @module
 */
import { join } from "node:path";
import { type Bytes, concatBytes } from "../base/bytes.ts";
import { invariant } from "../base/invariant.ts";
import type { AppendFile, Storage } from "../platform/storage.ts";
import { SystemAppendFile, writeAll } from "./append_file.ts";
import { LEFTOVER_AGE_MS, SET_ASIDE_MAX } from "./limits.ts";
import { machine } from "./machine.ts";
import { commandWord, StorageError, storageErrorOf } from "./storage_error.ts";

/** What is known of a file without reading it. */
export interface FileFacts {
  /** Permission bits; absent where the system has none. */
  readonly mode?: number;
  readonly sizeBytes: number;
}

/** How the storage treats names. */
export interface DirectoryStorageOptions {
  /** Whether a file holds a secret, so that others must not be able to read it: `*.key`. */
  readonly isSecret?: (name: string) => boolean;
}

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Refuses what belongs to somebody else; the superuser's files are as good as ours. */
function refuseForeign(action: string, path: string, info: Deno.FileInfo): void {
  const own = Deno.uid();
  if (own === null || info.uid === null || info.uid === own || info.uid === 0) return;
  throw new StorageError(
    "wrong-owner",
    `Cannot ${action} "${path}": it belongs to another user; type: chown ${own} ${
      commandWord(path)
    }`,
  );
}

async function refuseOpenDirectory(path: string, info: Deno.FileInfo): Promise<void> {
  refuseForeign("use the state directory", path, info);
  if (((info.mode ?? 0) & OTHERS) === 0) return;
  let isEmpty = true;
  for await (const _ of Deno.readDir(path)) isEmpty = false;
  if (isEmpty && info.uid === Deno.uid()) {
    await Deno.chmod(path, 0o700); // Nothing was in it that anybody could have read.
    return;
  }
  throw new StorageError(
    "directory-open-to-others",
    `The state directory "${path}" is open to others; type: chmod 700 ${commandWord(path)}`,
  );
}

/** Makes names that were written, renamed or removed in the directory last through a crash. */
async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories; it journals names by itself.
  if (!machine.hasFileModes) return;
  using directory = await Deno.open(path, { read: true });
  await directory.sync();
}

/** The file's bytes from here on, read into one piece of memory. */
async function readWhole(file: Deno.FsFile, sizeBytes: number): Promise<Bytes> {
  // One more than there should be, to see the end.
  let bytes: Bytes = new Uint8Array(sizeBytes + 1);
  let length = 0;
  for (;;) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) return bytes.subarray(0, length);
    length += count;
    if (length === bytes.length) bytes = concatBytes(bytes, new Uint8Array(length));
  }
}

/** Files in one private directory. Rejects with `StorageError` only. */
export class DirectoryStorage implements Storage {
  /** Path of the directory. */
  readonly directory: string;
  readonly #isSecret: (name: string) => boolean;

  /** A directory as it is, there or not; `open` makes and judges it. */
  constructor(directory: string, options: DirectoryStorageOptions = {}) {
    this.directory = directory;
    this.#isSecret = options.isSecret ?? ((name) => name.endsWith(".key"));
  }

  /**
   * Opens the directory, creating it with mode 0700 if there is none. An empty directory of ours that
   * others can enter is closed to them; any other such directory is refused.
   */
  static async open(
    path: string,
    options: DirectoryStorageOptions = {},
  ): Promise<DirectoryStorage> {
    try {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      // A link to the directory may be a person's choice; what it leads to is what is judged.
      if (machine.hasFileModes) await refuseOpenDirectory(path, await Deno.stat(path));
      return new DirectoryStorage(path, options);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      const isNone = error instanceof Deno.errors.NotADirectory ||
        error instanceof Deno.errors.AlreadyExists;
      const reason = isNone
        ? "it is not a directory"
        : error instanceof Error
        ? error.message
        : String(error);
      throw new StorageError(
        isNone ? "not-a-directory" : "unusable",
        `Cannot use the state directory "${path}": ${reason}. Choose another: --state DIR`,
        error,
      );
    }
  }

  async read(name: string): Promise<Bytes | undefined> {
    const path = this.#pathOf(name);
    try {
      const seen = await lookAt(path);
      if (seen === undefined) return undefined;
      this.#judge("read", name, path, seen);
      const file = await Deno.open(path, { read: true });
      try {
        const opened = await file.stat();
        this.#refuseSwapped(path, seen, opened);
        return await readWhole(file, opened.size);
      } finally {
        file.close();
      }
    } catch (error) {
      throw storageErrorOf("read", path, error);
    }
  }

  async replace(name: string, bytes: Bytes): Promise<void> {
    const path = this.#pathOf(name);
    try {
      const temporary = await this.#writeTemporary(name, bytes);
      try {
        await Deno.rename(temporary, path);
      } catch (error) {
        await Deno.remove(temporary);
        throw error;
      }
      await syncDirectory(this.directory);
    } catch (error) {
      throw storageErrorOf("write", path, error);
    }
  }

  async createExclusive(name: string, bytes: Bytes): Promise<boolean> {
    const path = this.#pathOf(name);
    try {
      if (await lookAt(path) !== undefined) return false;
      const temporary = await this.#writeTemporary(name, bytes);
      try {
        // A link is made whole or not at all, and never over a name that is there.
        await Deno.link(temporary, path);
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) return false;
        throw error;
      } finally {
        await Deno.remove(temporary);
      }
      await syncDirectory(this.directory);
      return true;
    } catch (error) {
      throw storageErrorOf("create", path, error);
    }
  }

  async openAppend(name: string): Promise<AppendFile> {
    const path = this.#pathOf(name);
    try {
      const seen = await lookAt(path);
      if (seen !== undefined) this.#judge("append to", name, path, seen);
      const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
      try {
        const opened = await file.stat();
        if (seen === undefined) await syncDirectory(this.directory);
        else this.#refuseSwapped(path, seen, opened);
        return new SystemAppendFile(file, path, opened.size);
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      throw storageErrorOf("append to", path, error);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const path = this.#pathOf(to);
    try {
      await Deno.rename(this.#pathOf(from), path);
      await syncDirectory(this.directory);
    } catch (error) {
      throw storageErrorOf("write", path, error);
    }
  }

  async setAside(name: string): Promise<string> {
    const path = this.#pathOf(name);
    try {
      let n = 1;
      while (n < SET_ASIDE_MAX && await lookAt(this.#pathOf(`${name}.damaged-${n}`))) n += 1;
      const aside = `${name}.damaged-${n}`;
      await Deno.rename(path, this.#pathOf(aside));
      await syncDirectory(this.directory);
      return aside;
    } catch (error) {
      throw storageErrorOf("set aside", path, error);
    }
  }

  async remove(name: string): Promise<void> {
    const path = this.#pathOf(name);
    try {
      await Deno.remove(path);
      await syncDirectory(this.directory);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw storageErrorOf("remove", path, error);
    }
  }

  /** What the file is, or `undefined` if there is none. */
  async inspect(name: string): Promise<FileFacts | undefined> {
    const path = this.#pathOf(name);
    try {
      const info = await lookAt(path);
      if (info === undefined) return undefined;
      const sizeBytes = info.size;
      return info.mode === null ? { sizeBytes } : { mode: info.mode & 0o777, sizeBytes };
    } catch (error) {
      throw storageErrorOf("look at", path, error);
    }
  }

  /**
   * Removes temporary files that a crash left behind; resolves to how many. Young ones stay: a
   * process that makes the identity has no lock, and its file may be in use.
   */
  async removeLeftovers(): Promise<number> {
    let removed = 0;
    try {
      for await (const entry of Deno.readDir(this.directory)) {
        if (!entry.isFile || !/^\..+\.tmp$/.test(entry.name)) continue;
        const path = join(this.directory, entry.name);
        const writtenAt = (await lookAt(path))?.mtime?.getTime();
        if (writtenAt === undefined || Date.now() - writtenAt < LEFTOVER_AGE_MS) continue;
        await Deno.remove(path);
        removed += 1;
      }
    } catch (error) {
      throw storageErrorOf("clean", this.directory, error);
    }
    return removed;
  }

  #pathOf(name: string): string {
    invariant(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name), "a file name is a plain one of ours");
    return join(this.directory, name);
  }

  /** A new file of its own with the bytes on the disk; resolves to its path. */
  async #writeTemporary(name: string, bytes: Bytes): Promise<string> {
    // Not the process id: in a container the next process has the same.
    const path = join(this.directory, `.${name}.${crypto.randomUUID()}.tmp`);
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      await writeAll(file, bytes);
      await file.sync();
    } catch (error) {
      await Deno.remove(path); // A full disk must not be filled with halves.
      throw error;
    }
    return path;
  }

  #judge(action: string, name: string, path: string, info: Deno.FileInfo): void {
    if (info.isSymlink) {
      throw new StorageError("not-a-file", `Cannot ${action} "${path}": it is a symbolic link`);
    }
    if (!info.isFile) {
      throw new StorageError("not-a-file", `Cannot ${action} "${path}": it is not a file`);
    }
    if (!machine.hasFileModes || !this.#isSecret(name)) return;
    refuseForeign(action, path, info);
    if (((info.mode ?? 0) & OTHERS) !== 0) {
      throw new StorageError(
        "file-open-to-others",
        `"${path}" can be read by others; type: chmod 600 ${commandWord(path)}`,
      );
    }
  }

  /** Refuses if what was opened is not what was judged. */
  #refuseSwapped(path: string, judged: Deno.FileInfo, opened: Deno.FileInfo): void {
    if (judged.ino === opened.ino && judged.dev === opened.dev) return;
    throw new StorageError("not-a-file", `Cannot open "${path}": it was replaced meanwhile`);
  }
}
