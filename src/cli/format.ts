/**
 * Lengths of time and numbers for people, and how wide a text is on a terminal.
 *
 * @module
 */
import { escapeForTerminal } from "../base/text.ts";
import type { WallTime } from "../base/instant.ts";

/** `340 ms`, `3s`, `2m`, `5h`, `12d`. */
export function formatLength(milliseconds: number): string {
  const seconds = Math.floor(Math.max(0, milliseconds) / 1_000);
  if (seconds < 1) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400 * 2) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** `3s ago`; `just now` below a second; `in 2h` for what the clocks disagree on. */
export function formatAge(milliseconds: number): string {
  if (milliseconds <= -1_000) return `in ${formatLength(-milliseconds)}`;
  return milliseconds < 1_000 ? "just now" : `${formatLength(milliseconds)} ago`;
}

/** The age of an RFC 3339 instant; the text itself, made harmless, if it is none. */
export function formatAgeOf(at: string, now: WallTime): string {
  const then = Date.parse(at);
  return Number.isNaN(then) ? escapeForTerminal(at) : formatAge(now - then);
}

/** A round trip with three figures: `0.42 ms`, `3.10 ms`, `120 ms`. */
export function formatRtt(milliseconds: number): string {
  const digits = milliseconds < 10 ? 2 : milliseconds < 100 ? 1 : 0;
  return `${milliseconds.toFixed(digits)} ms`;
}

/** A share as percent: `0%`, `2.5%`, `100%`. */
export function formatPercent(percent: number): string {
  return `${Number(percent.toFixed(1))}%`;
}

/** `1 link`, `3 links`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

// East Asian Wide and Fullwidth blocks (Unicode Standard Annex #11), and the emoji planes.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns the text takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (!/\p{Mn}|\p{Me}/u.test(character)) width += wide.test(character) ? 2 : 1;
  }
  return width;
}
