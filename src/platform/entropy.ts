/** Secret randomness as the outside gives it. @module */
import type { Bytes } from "../base/bytes.ts";

/** Unpredictable bytes: the system's, or the simulator's seeded ones. */
export interface Entropy {
  /** `length` fresh unpredictable bytes, at most 65,536. */
  bytes(length: number): Bytes;
}
