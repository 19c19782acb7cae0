/**
 * What a person should know, as long as it holds. One warning per code and subject; status shows
 * them, watchers are told when one comes and when it goes.
 *
 * @module
 */
import { BoundedMap } from "../base/bounded_map.ts";
import type { Warning } from "../control/mod.ts";

/** Most warnings shown at once. */
const warningsMax = 256;

/** Codes that stand at most this often; more of one kind would hide the others. */
const perCodeMax = 32;

/** Warnings in force. */
export class Warnings {
  readonly #inForce = new BoundedMap<string, Warning>(warningsMax);
  readonly #tell: (warning: Warning, cleared: boolean) => void;

  /** @param tell Told of every warning that comes or goes. */
  constructor(tell: (warning: Warning, cleared: boolean) => void) {
    this.#tell = tell;
  }

  /** The warning holds from now on. `subject` tells those of one code apart. */
  raise(code: string, message: string, subject = ""): void {
    const key = `${code} ${subject}`;
    const held = this.#inForce.get(key);
    if (held?.message === message) return;
    const sameCode = [...this.#inForce.values()].filter((warning) => warning.code === code).length;
    if (held === undefined && sameCode >= perCodeMax) return;
    const warning = { code, message };
    this.#inForce.set(key, warning);
    this.#tell(warning, false);
  }

  /** The warning holds no longer. */
  clear(code: string, subject = ""): void {
    const key = `${code} ${subject}`;
    const held = this.#inForce.get(key);
    if (held === undefined) return;
    this.#inForce.delete(key);
    this.#tell(held, true);
  }

  /** Raises or clears. */
  set(holds: boolean, code: string, message: string, subject = ""): void {
    if (holds) this.raise(code, message, subject);
    else this.clear(code, subject);
  }

  /** All in force, by code. */
  all(): Warning[] {
    return [...this.#inForce.values()].sort((a, b) => a.code < b.code ? -1 : 1);
  }
}
