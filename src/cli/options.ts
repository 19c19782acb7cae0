/**
 * Reading the words of a command line: options before or after the command's own arguments,
 * `--name value` and `--name=value`, `-c 3` and `-c3`, `--` before words that begin with a dash.
 * Strict: what no table names is wrong usage.
 *
 * @module
 */
import { type CommandFailure, usageFailure } from "./errors.ts";
import { didYouMean, nearestWords } from "./nearest.ts";

/** An option of a command. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What its value is, for the help: `[HOST:]PORT`. Absent = it takes none. */
  readonly value?: string;
  /** May be given more than once; otherwise the last one counts. */
  readonly many?: true;
  /** One line. */
  readonly help: string;
}

/** Options that every command has. */
export const commonOptions: readonly OptionSpec[] = [
  { name: "state", value: "DIR", help: "state directory of the node" },
  { name: "config", value: "FILE", help: "configuration file (not in this version)" },
  { name: "json", help: "print JSON" },
  { name: "log-level", value: "LEVEL", help: "debug, info (the default), warn or error" },
  { name: "log-format", value: "FORMAT", help: "text (the default) or json" },
  { name: "quiet", short: "q", help: "say nothing but results and errors" },
  { name: "no-color", help: "no colour; it is used only on a terminal anyway" },
  { name: "help", short: "h", help: "show this help" },
  { name: "version", short: "V", help: "show the version" },
];

/** A command line that was read. */
export class ParsedWords {
  /** What is no option: the command and its arguments. */
  readonly words: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(words: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.words = words;
    this.#values = values;
  }

  /** Whether the option was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The option's last value. */
  value(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of the option. */
  values(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The same without the first words. */
  without(words: number): ParsedWords {
    return new ParsedWords(this.words.slice(words), this.#values);
  }
}

/** An option word taken apart. */
interface OptionWord {
  /** As typed, with its dashes. */
  readonly shown: string;
  readonly spec: OptionSpec | undefined;
  /** What stands in the same word. */
  readonly attached: string | undefined;
}

function takeApart(word: string, table: readonly OptionSpec[]): OptionWord {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    return {
      shown: `--${name}`,
      spec: table.find((option) => option.name === name),
      attached: equals < 0 ? undefined : word.slice(equals + 1),
    };
  }
  const letter = word.slice(1, 2);
  return {
    shown: `-${letter}`,
    spec: table.find((option) => option.short === letter),
    attached: word.length > 2 ? word.slice(2) : undefined,
  };
}

function isOptionWord(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

/**
 * Reads the words by the table. With `lenient`, unknown options are passed over: for finding the
 * command before its own table is known.
 */
export function parseWords(
  args: readonly string[],
  table: readonly OptionSpec[],
  lenient = false,
): ParsedWords | CommandFailure {
  const words: string[] = [];
  const values = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      words.push(...args.slice(at + 1));
      break;
    }
    if (!isOptionWord(word)) {
      words.push(word);
      continue;
    }
    const { shown, spec, attached } = takeApart(word, table);
    if (spec === undefined) {
      if (lenient) continue;
      return unknownOption(shown, table);
    }
    const list = values.get(spec.name) ?? [];
    values.set(spec.name, list);
    if (spec.value === undefined) {
      if (attached !== undefined) {
        if (!shown.startsWith("--")) {
          // Several letters in one word: the rest is read as a word of its own.
          list.push("");
          const rest = parseWords([`-${attached}`, ...args.slice(at + 1)], table, lenient);
          if (!(rest instanceof ParsedWords)) return rest;
          return joined(words, values, rest, table);
        }
        if (lenient) continue;
        return usageFailure(`${shown} takes no value`);
      }
      list.push("");
    } else if (attached !== undefined) {
      list.push(attached);
    } else {
      const next = args[at + 1];
      const isMissing = next === undefined || next === "--" ||
        isOptionWord(next) && takeApart(next, table).spec !== undefined;
      if (isMissing) {
        if (lenient) continue;
        return usageFailure(`${shown} needs a value: ${shown} ${spec.value}`);
      }
      list.push(next);
      at++;
    }
  }
  return new ParsedWords(words, values);
}

function joined(
  words: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
  rest: ParsedWords,
  table: readonly OptionSpec[],
): ParsedWords {
  const all = new Map(values);
  for (const { name } of table) {
    if (rest.has(name)) all.set(name, [...all.get(name) ?? [], ...rest.values(name)]);
  }
  return new ParsedWords([...words, ...rest.words], all);
}

function unknownOption(shown: string, table: readonly OptionSpec[]): CommandFailure {
  const near = shown.startsWith("--")
    ? nearestWords(shown.slice(2), table.map((option) => option.name)).map((name) => `--${name}`)
    : [];
  return usageFailure(`There is no option ${shown} here`, didYouMean(near));
}
