/**
 * The log of a running node on stderr: lines for people, or one JSON object a line. Values that
 * came from others are made harmless in the one and quoted by JSON in the other.
 *
 * @module
 */
import { configureSync, type LogLevel, type LogRecord, resetSync } from "@logtape/logtape";
import { formatWallTime, wallTime } from "../base/instant.ts";
import { type CommandFailure, usageFailure } from "./errors.ts";
import { didYouMean, nearestWords } from "./nearest.ts";
import type { ParsedWords } from "./options.ts";
import { clean } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

const levels = { debug: "debug", info: "info", warn: "warning", error: "error" } as const;

/** How to log. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
}

function isLevel(text: string): text is keyof typeof levels {
  return Object.hasOwn(levels, text);
}

/** Reads `--log-level`, `--log-format` and `--quiet`. */
export function readLogOptions(parsed: ParsedWords): LogOptions | CommandFailure {
  const level = parsed.value("log-level") ?? (parsed.has("quiet") ? "error" : "info");
  if (!isLevel(level)) {
    return usageFailure(
      `--log-level is debug, info, warn or error, not "${level}"`,
      didYouMean(nearestWords(level, Object.keys(levels))),
    );
  }
  const format = parsed.value("log-format") ?? "text";
  if (format !== "text" && format !== "json") {
    return usageFailure(`--log-format is text or json, not "${format}"`);
  }
  return { level: levels[level], format };
}

function levelWord(level: LogLevel): string {
  return level === "warning" ? "warn" : level;
}

function messageText(record: LogRecord, show: (value: unknown) => string): string {
  return record.message.map((part, at) => at % 2 === 0 ? String(part) : show(part)).join("");
}

function showValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.message;
  return JSON.stringify(value, jsonValue) ?? String(value);
}

function jsonValue(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "bigint" ? value.toString() : value;
}

/** `mesh` itself is no news; what follows names the part. */
function partOf(record: LogRecord): string {
  return record.category.slice(1).join(".");
}

/** A line for people. */
function formatLogText(record: LogRecord): string {
  const at = formatWallTime(wallTime(record.timestamp));
  const part = partOf(record);
  const message = clean(messageText(record, showValue));
  return `${at} ${levelWord(record.level).padEnd(5)} ${part === "" ? "" : `${part}: `}${message}\n`;
}

const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function jsonEscape(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) {
    escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}

/** A line for programs. A property never hides one of the fields that every line has. */
function formatLogJson(record: LogRecord): string {
  const { properties, timestamp, level } = record;
  const line = {
    ...properties,
    at: formatWallTime(wallTime(timestamp)),
    level: levelWord(level),
    part: partOf(record),
    message: messageText(record, showValue),
  };
  // JSON leaves 8-bit controls and direction marks as they are; a log may be read on a terminal.
  return `${JSON.stringify(line, jsonValue).replace(steering, jsonEscape)}\n`;
}

/** Sends the log of everything under the category `mesh` to stderr. */
export function startLog(options: LogOptions, { stderr }: Pick<Surroundings, "stderr">): void {
  const format = options.format === "json" ? formatLogJson : formatLogText;
  configureSync({
    reset: true,
    sinks: { stderr: (record) => void stderr.write(format(record)) },
    loggers: [
      { category: ["mesh"], sinks: ["stderr"], lowestLevel: options.level },
      // The library's own remarks about its configuration are not ours.
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "error" },
    ],
  });
}

/** Forgets the configuration: for tests. */
export function endLog(): void {
  resetSync();
}
