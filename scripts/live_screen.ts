/**
 * What a script shows while it goes on: lines that stay and, below them on a terminal, a few that
 * are written anew in place. Where there is no terminal, a changed line is printed once.
 *
 * @module
 */
import { Output } from "../src/cli/output.ts";
import type { TextSink } from "../src/cli/surroundings.ts";

/** Lines narrower than this never wrap, so they can be counted. */
const columnsMin = 80;
const rowsMin = 16;

/** Whether the terminal can hold what is written anew. */
function fitsTerminal(): boolean {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns >= columnsMin && rows >= rowsMin;
  } catch {
    // Nobody knows how large it is: plain lines are right on any.
    return false;
  }
}

/** Lines that stay above lines that change. */
export class LiveScreen {
  /** Whether the lines that change are written anew in place. */
  readonly inPlace: boolean;
  readonly #sink: TextSink;
  #live: readonly string[] = [];
  #isRead = true;

  /** @param isLive Whether lines are written anew in place; asked of the terminal unless told. */
  constructor(sink: TextSink, isLive?: boolean) {
    this.#sink = sink;
    this.inPlace = isLive ??
      (sink.isTerminal && Deno.env.get("TERM") !== "dumb" && fitsTerminal());
  }

  /** `false` once nobody reads any more. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** The lines that `draw` prints, in colour where colour is wanted (`NO_COLOR`). */
  lines(draw: (output: Output) => void): string[] {
    const lines: string[] = [];
    const sink: TextSink = {
      isTerminal: this.#sink.isTerminal,
      write: (text) => lines.push(text.replace(/\n$/, "")) > 0,
    };
    const environment = (name: string) => Deno.env.get(name);
    const options = { json: false, quiet: false, plain: false };
    draw(new Output({ stdout: sink, stderr: sink, environment }, options));
    return lines;
  }

  /** Prints lines that stay. */
  say(...lines: readonly string[]): void {
    this.#write(this.#erased() + lines.map((line) => `${line}\n`).join("") + this.#drawn());
  }

  /** Shows these lines instead of those shown before; `fleeting` ones only where they can go again. */
  show(lines: readonly string[], fleeting: readonly string[] = []): void {
    const erase = this.#erased();
    const before = this.#live;
    this.#live = this.inPlace
      ? [...lines, ...fleeting.map((line) => line.slice(0, columnsMin - 1))]
      : lines;
    if (this.inPlace) this.#write(erase + this.#drawn());
    else this.#write(lines.filter((line) => !before.includes(line)).map((l) => `${l}\n`).join(""));
  }

  /** Lets what is shown stay. */
  settle(): void {
    this.#live = [];
  }

  #erased(): string {
    const count = this.inPlace ? this.#live.length : 0;
    return count === 0 ? "" : `\u001b[${count}A\r\u001b[J`;
  }

  #drawn(): string {
    return this.inPlace ? this.#live.map((line) => `${line}\n`).join("") : "";
  }

  #write(text: string): void {
    if (text !== "") this.#isRead = this.#sink.write(text) && this.#isRead;
  }
}
