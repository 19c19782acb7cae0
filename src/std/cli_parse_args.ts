/**
 * `@std/cli/parse-args`, typed: the part that mesh uses. To take it from JSR instead, map
 * `@std/cli/parse-args` to `jsr:@std/cli@1/parse-args` and delete this file.
 *
 * @module
 */
import { parseArgs as stdParseArgs } from "deno-std/cli/parse_args.js";

/** How the words of a command line are to be read. */
export interface ParseArgsOptions {
  /** Options that take no value. */
  readonly boolean?: readonly string[];
  /** Options that take one. */
  readonly string?: readonly string[];
  /** Options that may be given more than once; their values form a list. */
  readonly collect?: readonly string[];
  /** Options for which `--no-NAME` means false. */
  readonly negatable?: readonly string[];
  /** Other names: `{ help: "h" }`. */
  readonly alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Values where nothing was given. */
  readonly default?: Readonly<Record<string, unknown>>;
  /** Keep what follows `--` under the key `"--"`. */
  readonly "--"?: boolean;
  /** Stop at the first word that is not an option. */
  readonly stopEarly?: boolean;
  /** Called for each word that no list names; `false` leaves it out of the result. */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What was read: `_` holds the words that are no options. */
export type ParsedArgs =
  & { readonly _: readonly (string | number)[] }
  & Readonly<
    Record<string, unknown>
  >;

/** Reads a command line. Never throws on its own; `unknown` may. */
export const parseArgs: (args: readonly string[], options?: ParseArgsOptions) => ParsedArgs =
  stdParseArgs;
