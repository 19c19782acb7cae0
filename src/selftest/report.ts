/**
 * What a self test is asked, given and reports; the report is the JSON of
 * `mesh --self-test --json`, field by field.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";
import type { Entropy } from "../platform/entropy.ts";
import type { Storage } from "../platform/storage.ts";

/** One check. */
export interface SelfTestCheck {
  /** Words joined by hyphens; stable, for programs. */
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, in words. */
  readonly detail: string;
  /** How long it took. */
  readonly ms: number;
}

/** The outcome of all checks. */
export interface SelfTestReport {
  readonly product: string;
  readonly version: string;
  readonly seq: number;
  readonly target: string;
  readonly runtime: string;
  /** The nonce that was asked with, echoed. */
  readonly nonce?: string;
  readonly checks: readonly SelfTestCheck[];
  readonly ok: boolean;
}

/** What a self test is asked. */
export interface SelfTestOptions {
  readonly clock: Clock;
  /** The target triple that this program was built for. */
  readonly target: string;
  readonly runtime: string;
  /** Hexadecimal; echoed, so that who asked knows the answer is to his question. */
  readonly nonce?: string;
}

/** A private directory that is there for one check only. */
export interface ScratchDirectory {
  readonly storage: Storage;
  /** Removes the directory with all that is in it; rejects with the system's error. */
  remove(): Promise<void>;
}

/** What the self test uses of the machine: everything else it does in memory. */
export interface SelfTestMeans {
  readonly entropy: Entropy;
  /** Makes an empty private directory in the system's temporary place, or rejects. */
  openScratch(): Promise<ScratchDirectory>;
}
