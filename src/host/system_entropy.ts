/** The system's random numbers. @module */
import type { Bytes } from "../base/bytes.ts";
import type { Entropy } from "../platform/entropy.ts";

/** The system's generator. */
export class SystemEntropy implements Entropy {
  bytes(length: number): Bytes {
    return crypto.getRandomValues(new Uint8Array(length));
  }
}
