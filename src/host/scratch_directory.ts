/**
 * A private directory in the system's temporary place, for work that leaves nothing behind.
 *
 * @module
 */
import { DirectoryStorage } from "./directory_storage.ts";

/** A directory that is there until it is removed. */
export interface ScratchPlace {
  readonly storage: DirectoryStorage;
  /** Removes the directory with all that is in it; rejects with the system's error. */
  remove(): Promise<void>;
}

/** Makes an empty one, mode 0700; rejects with the system's error. */
export async function openScratch(): Promise<ScratchPlace> {
  const path = await Deno.makeTempDir({ prefix: "mesh-self-test-" });
  return {
    storage: await DirectoryStorage.open(path),
    remove: () => Deno.remove(path, { recursive: true }),
  };
}
