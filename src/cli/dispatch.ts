/**
 * From the words of a command line to an exit code: finds the command, reads its options strictly,
 * runs it, and says what went wrong.
 *
 * @module
 */
import type { Command, CommandContext } from "./command.ts";
import { commands, findCommand, rootOptions } from "./commands.ts";
import {
  type CommandFailure,
  type CommandOutcome,
  type ExitCode,
  exitCode,
  failedTo,
  notImplemented,
  usageFailure,
} from "./errors.ts";
import { commandHelp, mainHelp } from "./help.ts";
import { readLogOptions } from "./logging.ts";
import { didYouMean, nearestWords } from "./nearest.ts";
import { commonOptions, ParsedWords, parseWords } from "./options.ts";
import { Output } from "./output.ts";
import { plannedCommands } from "./planned.ts";
import { selfTest } from "./selftest.ts";
import type { Surroundings } from "./surroundings.ts";
import { showVersion } from "./version.ts";

/** Every option of every command: enough to tell values from words before the command is known. */
const allOptions = [
  ...commonOptions,
  ...rootOptions,
  ...commands.flatMap(({ options }) => options),
];

function givenBeforeDashes(args: readonly string[], word: string): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes(word);
}

function unknownCommand(words: readonly string[]): CommandFailure {
  const [first = "", second] = words;
  const planned = plannedCommands.find((name) =>
    name === first || name === `${first} ${second ?? ""}`
  );
  if (planned !== undefined) return notImplemented(`mesh ${planned}`);
  const names = [...commands.map(({ name }) => name), "help"];
  const family = names.filter((name) => name.startsWith(`${first} `));
  if (family.length > 0) {
    return usageFailure(`There is no command "${first} ${second ?? ""}"`, didYouMean(family));
  }
  return usageFailure(
    `There is no command "${first}"`,
    didYouMean(nearestWords(first, [...names, ...plannedCommands])) ??
      "`mesh --help` lists the commands",
  );
}

function wrongWordCount(command: Command, words: readonly string[]): CommandFailure | undefined {
  const wanted = command.arguments.length;
  if (words.length === wanted) return undefined;
  const form = ["mesh", command.name, ...command.arguments].join(" ");
  return words.length < wanted
    ? usageFailure(
      `\`mesh ${command.name}\` needs ${command.arguments.slice(words.length).join(" ")}`,
      `Usage: ${form}`,
    )
    : usageFailure(`There is a word too many: "${words[wanted]}"`, `Usage: ${form}`);
}

/** What every command refuses alike. */
function refuseCommon(parsed: ParsedWords): CommandFailure | undefined {
  const logOptions = readLogOptions(parsed);
  if ("exit" in logOptions) return logOptions;
  return parsed.has("config") ? notImplemented("--config") : undefined;
}

function withHelpHint(failure: CommandFailure, command: Command | undefined): CommandFailure {
  if (failure.exit !== exitCode.usage || failure.hint !== undefined) return failure;
  const words = command === undefined ? "mesh --help" : `mesh ${command.name} --help`;
  return { ...failure, hint: `See \`${words}\`` };
}

async function runCommand(command: Command, context: CommandContext): Promise<CommandOutcome> {
  if (context.parsed.has("help")) {
    context.output.line(commandHelp(command));
    return exitCode.done;
  }
  if (context.parsed.has("version")) return showVersion(context);
  return wrongWordCount(command, context.parsed.words) ?? refuseCommon(context.parsed) ??
    await command.run(context);
}

async function runRoot(context: CommandContext): Promise<CommandOutcome> {
  const { parsed, output } = context;
  if (parsed.has("help")) {
    output.line(mainHelp());
    return exitCode.done;
  }
  if (parsed.has("version")) return showVersion(context);
  if (parsed.has("self-test")) return await selfTest(context);
  if (parsed.has("nonce")) return usageFailure("--nonce goes with --self-test");
  return usageFailure("There is no command", "`mesh --help` lists them; `mesh run` starts a node");
}

/** `mesh help ping` is `mesh ping --help`. */
function helpAsOption(args: readonly string[], words: readonly string[]): readonly string[] {
  if (words[0] !== "help") return args;
  const at = args.indexOf("help");
  return [...args.slice(0, at), ...args.slice(at + 1), "--help"];
}

/** Does what the command line says. Resolves to the exit code; never rejects. */
export async function runCommandLine(around: Surroundings): Promise<ExitCode> {
  const glance = parseWords(around.args, allOptions, true);
  const firstWords = glance instanceof ParsedWords ? glance.words : [];
  const args = helpAsOption(around.args, firstWords);
  const words = args === around.args ? firstWords : firstWords.slice(1);
  const output = new Output(around, {
    json: givenBeforeDashes(args, "--json"),
    quiet: givenBeforeDashes(args, "--quiet") || givenBeforeDashes(args, "-q"),
    plain: givenBeforeDashes(args, "--no-color"),
  });
  const found = findCommand(words);
  const outcome = await (async (): Promise<CommandOutcome> => {
    if (found === undefined && words.length > 0) return unknownCommand(words);
    const own = found?.command.options ?? rootOptions;
    const parsed = parseWords(args, [...commonOptions, ...own]);
    if (!(parsed instanceof ParsedWords)) return parsed;
    const context = { parsed: parsed.without(found?.length ?? 0), output, around };
    return found === undefined ? await runRoot(context) : await runCommand(found.command, context);
  })().catch((error: unknown) => failedTo("do this", error));
  if (typeof outcome === "number") return outcome;
  output.failure(withHelpHint(outcome, found?.command));
  return outcome.exit;
}
