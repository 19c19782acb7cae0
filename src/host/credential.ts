/**
 * What the service manager hands over in confidence: systemd puts the credentials of a service as
 * files into `$CREDENTIALS_DIRECTORY`, opened by the TPM if they were sealed to it.
 *
 * @module
 */
import { join } from "node:path";
import type { Bytes } from "../base/bytes.ts";

/** Name of the credential: `LoadCredentialEncrypted=mesh-identity:…`. */
export const credentialName = "mesh-identity";

/** The credential's bytes, or `undefined` if there is none; rejects with the system's error. */
export async function readCredential(): Promise<Bytes | undefined> {
  const directory = Deno.env.get("CREDENTIALS_DIRECTORY");
  if (directory === undefined || directory === "") return undefined;
  try {
    return await Deno.readFile(join(directory, credentialName));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
