/** Options as a help text lists them. @module */
import type { OptionSpec } from "./options.ts";

function optionForm({ name, short, value }: OptionSpec): string {
  const letter = short === undefined ? "    " : `-${short}, `;
  return `  ${letter}--${name}${value === undefined ? "" : ` ${value}`}`;
}

/** One line per option, what each is for beginning in the same column. */
export function optionLines(
  options: readonly OptionSpec[],
  width: number = widestOption(options),
): readonly string[] {
  return options.map((option) => `${optionForm(option).padEnd(width)}  ${option.help}`);
}

/** The width that the options of all these lists need. */
export function widestOption(...lists: readonly (readonly OptionSpec[])[]): number {
  return Math.max(...lists.flat().map((option) => optionForm(option).length));
}
