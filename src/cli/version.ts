/** `mesh --version`. @module */
import { formatWallTime, wallTime } from "../base/instant.ts";
import { product, productBuiltAt, productSeq, productVersion } from "../version.ts";
import type { CommandContext } from "./command.ts";
import { type CommandOutcome, exitCode } from "./errors.ts";

/** Prints which program this is. */
export function showVersion({ output, around }: CommandContext): CommandOutcome {
  const { target, runtime } = around;
  if (output.json) {
    const builtAt = formatWallTime(wallTime(productBuiltAt));
    output.object({ product, version: productVersion, seq: productSeq, target, runtime, builtAt });
  } else {
    output.line(`${product} ${productVersion} (seq ${productSeq}, ${target}, ${runtime})`);
  }
  return exitCode.done;
}
