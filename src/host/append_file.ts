/** A file that only grows, in the order in which it was asked to. @module */
import { type Bytes, joinBytes } from "../base/bytes.ts";
import type { AppendFile } from "../platform/storage.ts";
import { StorageError, storageErrorOf } from "./storage_error.ts";

/** Writes all of the bytes: one write may take a part only. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

interface PendingAppend {
  readonly bytes: Bytes;
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/** Appends in order; what waits while the disk is busy is written and synced together. */
export class SystemAppendFile implements AppendFile {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #length: number;
  #pending: PendingAppend[] = [];
  #running: Promise<void> | undefined;
  #broken: unknown;
  #closing: Promise<void> | undefined;

  /** @param file Opened for appending; closed by `close`. @param length Bytes that are in it. */
  constructor(file: Deno.FsFile, path: string, length: number) {
    this.#file = file;
    this.#path = path;
    this.#length = length;
  }

  append(bytes: Bytes): Promise<void> {
    return this.#enqueue(bytes, true);
  }

  appendLazily(bytes: Bytes): Promise<void> {
    return this.#enqueue(bytes, false);
  }

  /** Waits for what was asked for before. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#running;
      this.#file.close();
    })();
    return this.#closing;
  }

  #enqueue(bytes: Bytes, durable: boolean): Promise<void> {
    if (this.#closing !== undefined) {
      const message = `Cannot append to "${this.#path}": it is closed`;
      return Promise.reject(new StorageError("unusable", message));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ bytes, durable, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const reason = storageErrorOf("append to", this.#path, error);
        for (const { reject } of batch) reject(reason);
      }
    }
    this.#running = undefined;
  }

  async #write(batch: readonly PendingAppend[]): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    const bytes = joinBytes(batch.map((one) => one.bytes));
    try {
      await writeAll(this.#file, bytes);
    } catch (error) {
      await this.#cutBack(error);
      throw error;
    }
    this.#length += bytes.length;
    if (!batch.some((one) => one.durable)) return;
    try {
      await this.#file.syncData();
    } catch (error) {
      // After a failed sync the system may have thrown the bytes away and forgotten the failure: no
      // later sync can be believed.
      this.#broken = error;
      throw error;
    }
  }

  /** Takes back what a failed write (a full disk) left, so that nothing follows a torn piece. */
  async #cutBack(reason: unknown): Promise<void> {
    try {
      await this.#file.truncate(this.#length);
    } catch {
      this.#broken = reason; // What is in the file now is unknown.
    }
  }
}
