/**
 * The words of a script's command line: usage mistakes and `--help` are the same for all of them.
 *
 * @module
 */
import { type OptionSpec, ParsedWords, parseWords } from "../src/cli/options.ts";
import { standardError, standardOutput } from "../src/host/terminal.ts";

/** What a script is called and takes. */
export interface ScriptUsage {
  /** As in `deno task NAME`. */
  readonly name: string;
  readonly options: readonly OptionSpec[];
  readonly help: string;
}

/** The words, or the exit code once help was shown or the mistake was told. */
export function readWords(
  args: readonly string[],
  { name, options, help }: ScriptUsage,
): ParsedWords | number {
  const parsed = parseWords(args, options);
  if (!(parsed instanceof ParsedWords)) {
    const hint = parsed.hint ?? `See: deno task ${name} --help`;
    standardError().write(`${name}: ${parsed.message}. ${hint}\n`);
    return 2;
  }
  if (!parsed.has("help")) return parsed;
  standardOutput().write(`${help}\n`);
  return 0;
}
