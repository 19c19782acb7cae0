/** `mesh help`, `--help`. @module */
import type { Command } from "./command.ts";
import { commands, rootOptions } from "./commands.ts";
import { optionLines, widestOption } from "./option_lines.ts";
import { commonOptions } from "./options.ts";

/** The help of one command: one line per option, an example at the end. */
export function commandHelp(command: Command): string {
  const { name, summary, details, options, example } = command;
  const words = ["mesh", name, ...command.arguments, "[options]"].join(" ");
  const width = widestOption(options, commonOptions);
  const lines = [`Usage: ${words}`, "", `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`];
  if (details !== undefined) lines.push(details);
  if (command.arguments.includes("NODE")) {
    lines.push("NODE is an id, the first 6 or more characters of one, or a name.");
  }
  if (options.length > 0) lines.push("", "Options:", ...optionLines(options, width));
  lines.push("", "Everywhere:", ...optionLines(commonOptions, width));
  lines.push("", "Example:", `  ${example}`);
  return lines.join("\n");
}

/** The help of the whole program. */
export function mainHelp(): string {
  const form = (command: Command) => [command.name, ...command.arguments].join(" ");
  const helpForm = "help [COMMAND]";
  const width = Math.max(helpForm.length, ...commands.map((command) => form(command).length));
  const optionWidth = widestOption(rootOptions, commonOptions);
  return [
    "Usage: mesh COMMAND [options]",
    "",
    "Machines that find each other, prove who they are, and keep one picture of the fleet.",
    "",
    "Commands:",
    ...commands.map((command) => `  ${form(command).padEnd(width)}  ${command.summary}`),
    `  ${helpForm.padEnd(width)}  show the help of a command`,
    "",
    "Options:",
    ...optionLines([...rootOptions, ...commonOptions], optionWidth),
    "",
    "Example:",
    "  mesh run --name atlas",
  ].join("\n");
}
