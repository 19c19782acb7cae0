/**
 * All commands, in the order of the help.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { forgetCommand } from "./forget.ts";
import { idCommand } from "./id.ts";
import { identityShowCommand } from "./identity.ts";
import { linksCommand } from "./links.ts";
import { nodeCommand } from "./node.ts";
import { nodesCommand } from "./nodes.ts";
import type { OptionSpec } from "./options.ts";
import { pingCommand } from "./ping.ts";
import { restartCommand } from "./restart.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { stopCommand } from "./stop.ts";
import { watchCommand } from "./watch.ts";

/** All commands of this version. */
export const commands: readonly Command[] = [
  runCommand,
  stopCommand,
  restartCommand,
  idCommand,
  statusCommand,
  nodesCommand,
  nodeCommand,
  linksCommand,
  pingCommand,
  watchCommand,
  forgetCommand,
  identityShowCommand,
];

/** Options of `mesh` without a command. */
export const rootOptions: readonly OptionSpec[] = [
  { name: "self-test", short: "t", help: "check that this program works here, and end" },
  { name: "nonce", value: "HEX", help: "digits for --self-test to echo" },
];

/** The command that the words begin with, the longest name first, and how many words name it. */
export function findCommand(
  words: readonly string[],
): { readonly command: Command; readonly length: number } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = words.length >= length && commands.find((one) => one.name === name);
    if (command) return { command, length };
  }
  // `mesh identity` alone shows it.
  return words[0] === "identity" && words.length === 1
    ? { command: identityShowCommand, length: 1 }
    : undefined;
}
