/**
 * The node's private directory on disk: modes checked before anything is read, files replaced so
 * that a crash leaves the old bytes or the new.
 *
 * @module
 */
import { join } from "node:path";
import type { Bytes } from "../base/bytes.ts";
import { toHex } from "../base/bytes.ts";
import type { AppendFile, Storage } from "../platform/storage.ts";
import { machine } from "./machine.ts";

/** The directory or a file in it cannot be used; the message says what to do. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: "directory-open-to-others" | "file-open-to-others" | "not-a-file" | "unusable";

  constructor(code: StorageError["code"], message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!machine.hasFileModes) return;
  const directory = await Deno.open(path, { read: true });
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}

async function writeAll(file: Deno.FsFile, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

class DirectoryAppendFile implements AppendFile {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async append(bytes: Bytes): Promise<void> {
    await writeAll(this.#file, bytes);
    await this.#file.syncData();
  }

  async appendLazily(bytes: Bytes): Promise<void> {
    await writeAll(this.#file, bytes);
  }

  close(): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }
}

/** Files in one private directory. */
export class DirectoryStorage implements Storage {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Makes the directory if need be (0700) and checks that nobody else gets in. */
  static async open(directory: string): Promise<DirectoryStorage> {
    try {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      const { mode } = await Deno.stat(directory);
      if (machine.hasFileModes && mode !== null && (mode & 0o077) !== 0) {
        throw new StorageError(
          "directory-open-to-others",
          `The state directory "${directory}" is open to others; type: chmod 700 ${directory}`,
        );
      }
    } catch (error) {
      if (error instanceof StorageError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StorageError(
        "unusable",
        `Cannot use the state directory "${directory}": ${reason}. Choose another: --state DIR`,
        error,
      );
    }
    return new DirectoryStorage(directory);
  }

  #path(name: string): string {
    return join(this.directory, name);
  }

  async read(name: string): Promise<Bytes | undefined> {
    const path = this.#path(name);
    try {
      const { isFile, mode } = await Deno.lstat(path);
      if (!isFile) throw new StorageError("not-a-file", `"${path}" is not a file`);
      if (machine.hasFileModes && mode !== null && (mode & 0o077) !== 0) {
        throw new StorageError(
          "file-open-to-others",
          `"${path}" can be read by others; type: chmod 600 ${path}`,
        );
      }
      return await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  async #temporary(name: string, bytes: Bytes): Promise<string> {
    const random = toHex(crypto.getRandomValues(new Uint8Array(8)));
    const path = this.#path(`.${name}.${random}.new`);
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      await writeAll(file, bytes);
      await file.sync();
    } finally {
      file.close();
    }
    return path;
  }

  async replace(name: string, bytes: Bytes): Promise<void> {
    const temporary = await this.#temporary(name, bytes);
    try {
      await Deno.rename(temporary, this.#path(name));
    } catch (error) {
      await Deno.remove(temporary);
      throw error;
    }
    await syncDirectory(this.directory);
  }

  async createExclusive(name: string, bytes: Bytes): Promise<boolean> {
    const temporary = await this.#temporary(name, bytes);
    try {
      await Deno.link(temporary, this.#path(name));
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    } finally {
      await Deno.remove(temporary);
    }
    await syncDirectory(this.directory);
    return true;
  }

  async openAppend(name: string): Promise<AppendFile> {
    const file = await Deno.open(this.#path(name), { append: true, create: true, mode: 0o600 });
    await syncDirectory(this.directory);
    return new DirectoryAppendFile(file);
  }

  async setAside(name: string): Promise<string> {
    for (let at = 1;; at++) {
      const aside = `${name}.damaged-${at}`;
      try {
        await Deno.lstat(this.#path(aside));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        await Deno.rename(this.#path(name), this.#path(aside));
        await syncDirectory(this.directory);
        return aside;
      }
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await Deno.remove(this.#path(name));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
