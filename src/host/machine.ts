/**
 * What this machine and this program are, read once at start: after the executable was replaced,
 * `execPath` would name a deleted file.
 *
 * @module
 */
import { toPlainText } from "../base/text.ts";

/** Facts that do not change while the program runs. */
export interface Machine {
  /** The host's name as plain text of 1 to 64 bytes; `unnamed` if it has none that can be shown. */
  readonly hostName: string;
  /** `linux`, `darwin`, `windows`, … */
  readonly os: string;
  /** `x86_64`, `aarch64`. */
  readonly arch: string;
  /** Target triple, `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** Version of the runtime, `2.9.4`. */
  readonly runtime: string;
  /** Path of the running executable, as it was at start. */
  readonly execPath: string;
  readonly pid: number;
  /** Whether file modes mean something here. */
  readonly hasFileModes: boolean;
}

function readHostName(): string {
  try {
    return toPlainText(Deno.hostname(), 64) ?? "unnamed";
  } catch {
    return "unnamed"; // Some sandboxes hide the name; a node runs without one.
  }
}

/** This machine and this program. */
export const machine: Machine = {
  hostName: readHostName(),
  os: Deno.build.os,
  arch: Deno.build.arch,
  target: Deno.build.target,
  runtime: Deno.version.deno,
  execPath: Deno.execPath(),
  pid: Deno.pid,
  hasFileModes: Deno.build.os !== "windows",
};
