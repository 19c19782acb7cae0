/**
 * Durable storage as the outside gives it: named files in one private directory. The host's
 * directory and the simulator's disk (which loses what was not synced) are the two implementations.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";

/** A file that only grows. */
export interface AppendFile {
  /** Appends and resolves once the bytes are on the disk (fdatasync); rejects with the system's error. */
  append(bytes: Bytes): Promise<void>;
  /** Appends; durable only after the next `append`. For what can be fetched again. */
  appendLazily(bytes: Bytes): Promise<void>;
  close(): Promise<void>;
}

/** The node's private directory. Names are plain file names of ours. */
export interface Storage {
  /**
   * The whole file in memory that is the caller's alone, or `undefined` if there is none; rejects
   * with the system's error otherwise.
   */
  read(name: string): Promise<Bytes | undefined>;
  /** Replaces the file so that a crash leaves either the old bytes or the new: temporary file, fsync, rename, fsync of the directory. */
  replace(name: string, bytes: Bytes): Promise<void>;
  /**
   * Writes the file only if there is none, in one step: of two processes at once exactly one gets
   * `true`, and a crash leaves no file or the whole one (temporary file, fsync, link(2) to the name,
   * fsync of the directory). `false` if a file of that name is there; it is left as it is.
   */
  createExclusive(name: string, bytes: Bytes): Promise<boolean>;
  /** Opens for appending, creating it (and syncing the directory) if need be. */
  openAppend(name: string): Promise<AppendFile>;
  /**
   * Puts a file that is on the disk whole (closed, its last append durable) in the place of another
   * of ours, so that a crash leaves the one or the other: rename, fsync of the directory.
   */
  rename(from: string, to: string): Promise<void>;
  /** Moves a damaged file out of the way, keeping it; resolves to its new name. */
  setAside(name: string): Promise<string>;
  /** Removes the file if it is there. */
  remove(name: string): Promise<void>;
}
