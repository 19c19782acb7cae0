/**
 * What a self test reports: the JSON of `mesh --self-test --json`, field by field.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";

/** One check. */
export interface SelfTestCheck {
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

/** What a self test needs to be told. */
export interface SelfTestOptions {
  readonly clock: Clock;
  readonly target: string;
  readonly runtime: string;
  /** Hexadecimal; echoed, so that who asked knows the answer is to his question. */
  readonly nonce?: string;
}
