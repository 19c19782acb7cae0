/**
 * What a command is, and what all of them share: the state directory and the way to the node.
 *
 * @module
 */
import type { ControlFailure, NodeControl } from "../control/mod.ts";
import type { PassphraseSource } from "../node/mod.ts";
import {
  type CommandFailure,
  type CommandOutcome,
  controlRefusal,
  exitCode,
  failedTo,
  unreachableFailure,
} from "./errors.ts";
import type { OptionSpec, ParsedWords } from "./options.ts";
import type { Output } from "./output.ts";
import { absolutePath, chooseStateDirectory } from "./state_directory.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a command is given. */
export interface CommandContext {
  /** Options, and the command's own arguments as `words`. */
  readonly parsed: ParsedWords;
  readonly output: Output;
  readonly around: Surroundings;
}

/** A command. */
export interface Command {
  /** One word or two: `status`, `identity show`. */
  readonly name: string;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  /** The command's own arguments, as the help shows them; each word is one that is required. */
  readonly arguments: readonly string[];
  readonly options: readonly OptionSpec[];
  /** More to say in the help. */
  readonly details?: string;
  /** A command line that a person may want to copy. */
  readonly example: string;
  run(context: CommandContext): Promise<CommandOutcome>;
}

/** `--passphrase-file`, for commands that open the key. */
export const passphraseOption: OptionSpec = {
  name: "passphrase-file",
  value: "FILE",
  help: "file with the passphrase of a protected key",
};

/** The state directory that the command line speaks of. */
export function stateDirectoryOf({ parsed, around }: CommandContext): string | CommandFailure {
  return chooseStateDirectory(parsed.value("state"), around);
}

/** Does the work with the control of the node that runs on the state directory. */
export async function withControl(
  context: CommandContext,
  work: (control: NodeControl) => Promise<CommandOutcome>,
): Promise<CommandOutcome> {
  const directory = stateDirectoryOf(context);
  if (typeof directory !== "string") return directory;
  const control = await context.around.connect(directory);
  if ("unreachable" in control) return unreachableFailure(control, directory);
  try {
    return await work(control);
  } finally {
    control.close();
  }
}

function isFailure<T extends object>(report: T | ControlFailure): report is ControlFailure {
  return "error" in report;
}

/** Asks the node for one report and prints it: as it came for programs, by `show` for people. */
export function reportWith<T extends object>(
  context: CommandContext,
  ask: (control: NodeControl) => Promise<T | ControlFailure>,
  show: (report: T) => void,
): Promise<CommandOutcome> {
  return withControl(context, async (control) => {
    const report = await ask(control);
    if (isFailure(report)) return controlRefusal(report);
    if (context.output.json) context.output.object(report);
    else show(report);
    return exitCode.done;
  });
}

/** Where a passphrase comes from: the file that was named, `$MESH_PASSPHRASE`, the terminal. */
export async function passphraseSource(
  { parsed, around }: CommandContext,
): Promise<PassphraseSource | CommandFailure> {
  const file = parsed.value("passphrase-file");
  let told = around.environment("MESH_PASSPHRASE");
  if (file !== undefined) {
    try {
      told = (await around.readText(absolutePath(file, around))).replace(/\r?\n$/, "");
    } catch (error) {
      return failedTo(`read passphrase file "${file}"`, error);
    }
  }
  return {
    ...told === undefined ? {} : { told },
    ask: () => Promise.resolve(around.askSecret("Passphrase of this node's key: ")),
  };
}
