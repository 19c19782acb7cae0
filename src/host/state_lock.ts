/**
 * One node per state directory: an exclusive lock on a file that names the process. The kernel
 * releases it with the process, however that ends.
 *
 * @module
 */
import { join } from "node:path";
import { machine } from "./machine.ts";

/** The lock, held. */
export interface StateLock {
  release(): Promise<void>;
}

/** Takes the lock, or tells who has it. */
export async function lockState(
  directory: string,
): Promise<StateLock | { readonly heldBy: number | undefined }> {
  const path = join(directory, "lock");
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  if (!await file.tryLock(true)) {
    file.close();
    const pid = Number.parseInt(await Deno.readTextFile(path), 10);
    return { heldBy: Number.isSafeInteger(pid) ? pid : undefined };
  }
  await file.truncate();
  await file.write(new TextEncoder().encode(`${machine.pid}\n`));
  return {
    release: async () => {
      await file.unlock();
      file.close();
    },
  };
}
