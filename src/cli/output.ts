/**
 * What a command prints: results on stdout, everything else on stderr; tables for people, one
 * object for programs. Everything a record brought passes `cell` or `clean`, so nobody's name can
 * steer a terminal.
 *
 * @module
 */
import { escapeForTerminal } from "../base/text.ts";
import type { CommandFailure } from "./errors.ts";
import { textWidth } from "./format.ts";
import type { Surroundings, TextSink } from "./surroundings.ts";

/** Colours used, by what they mean. */
export type Paint = "good" | "fair" | "bad" | "own" | "faint" | "strong";

/** Select Graphic Rendition codes (ECMA-48 §8.3.117). */
const paintCodes: Readonly<Record<Paint, number>> = {
  good: 32,
  fair: 33,
  bad: 31,
  own: 36,
  faint: 2,
  strong: 1,
};

/** A field of a table. */
export interface Cell {
  readonly text: string;
  readonly paint?: Paint;
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly right?: true;
}

/** How to print. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether colour is forbidden. */
  readonly plain: boolean;
}

/** Text from anywhere, made harmless. */
export function clean(text: string): string {
  return escapeForTerminal(text);
}

/** A field from anywhere, made harmless. */
export function cell(text: string, paint?: Paint): Cell {
  return paint === undefined ? { text: clean(text) } : { text: clean(text), paint };
}

/** Prints results and notes. */
export class Output {
  /** Whether programs read it. */
  readonly json: boolean;
  readonly #quiet: boolean;
  readonly #stdout: TextSink;
  readonly #stderr: TextSink;
  readonly #colour: boolean;
  #isRead = true;

  constructor(
    around: Pick<Surroundings, "stdout" | "stderr" | "environment">,
    options: OutputOptions,
  ) {
    this.json = options.json;
    this.#quiet = options.quiet;
    this.#stdout = around.stdout;
    this.#stderr = around.stderr;
    // NO_COLOR counts when it is not empty (no-color.org).
    this.#colour = around.stdout.isTerminal && !options.plain &&
      (around.environment("NO_COLOR") ?? "") === "" && around.environment("TERM") !== "dumb";
  }

  /** `false` once nobody reads the results any more (`mesh watch | head`). */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** The text in colour, where colour is wanted. */
  paint(text: string, paint: Paint | undefined): string {
    return this.#colour && paint !== undefined
      ? `\u001b[${paintCodes[paint]}m${text}\u001b[0m`
      : text;
  }

  /** A line of the result. */
  line(text: string): void {
    this.#isRead = this.#stdout.write(`${text}\n`) && this.#isRead;
  }

  /** An object of the result, on one line. */
  object(value: object): void {
    this.line(JSON.stringify(value));
  }

  /** A remark for people, not part of the result. */
  note(text: string): void {
    if (!this.#quiet && !this.json) this.#stderr.write(`${text}\n`);
  }

  /** A remark for somebody who sits at a terminal. */
  terminalNote(text: string): void {
    if (this.#stderr.isTerminal) this.note(text);
  }

  /** Says that and why a command failed. */
  failure(failure: CommandFailure): void {
    const { code, message, hint, candidates } = failure;
    if (this.json) {
      const whole = hint === undefined ? message : `${message}. ${hint}`;
      const listed = candidates === undefined ? {} : { candidates };
      this.object({ error: { code, message: whole, ...listed } });
      return;
    }
    const lines = [`mesh: ${clean(message)}`];
    for (const { id, name } of candidates ?? []) lines.push(`  ${clean(id)}  ${clean(name)}`);
    if (hint !== undefined) lines.push(clean(hint));
    this.#stderr.write(`${lines.join("\n")}\n`);
  }

  /** A table; columns without any text are left out. */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    const shown = columns.map((column, at) => ({
      ...column,
      at,
      // Not as arguments of one call: the stack takes little more than a hundred thousand.
      width: rows.reduce(
        (width, row) => Math.max(width, textWidth(row[at]?.text ?? "")),
        textWidth(column.title),
      ),
      isUsed: rows.some((row) => (row[at]?.text ?? "") !== ""),
    })).filter(({ isUsed }) => isUsed);
    const print = (row: readonly Cell[]) => {
      const fields = shown.map(({ at, width, right }, position) => {
        const { text, paint } = row[at] ?? { text: "" };
        const gap = " ".repeat(width - textWidth(text));
        const painted = this.paint(text, paint);
        if (right === true) return gap + painted;
        return position === shown.length - 1 ? painted : painted + gap;
      });
      this.line(fields.join("  ").trimEnd());
    };
    print(columns.map(({ title }) => ({ text: title, paint: "faint" })));
    for (const row of rows) print(row);
  }

  /** Named values below a title; entries without text are left out. */
  fields(entries: readonly (readonly [string, Cell | undefined])[]): void {
    const used = entries.filter(([, value]) => value !== undefined && value.text !== "");
    const width = Math.max(0, ...used.map(([name]) => textWidth(name)));
    for (const [name, value] of used) {
      const gap = " ".repeat(width - textWidth(name));
      const text = value === undefined ? "" : this.paint(value.text, value.paint);
      this.line(`  ${this.paint(name, "faint")}${gap}  ${text}`);
    }
  }
}
