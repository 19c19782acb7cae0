/**
 * The options of `mesh run`, read and checked: what a node is started with.
 *
 * @module
 */
import type { ListenOptions, PassphraseSource, RunOptions } from "../node/mod.ts";
import { passphraseOption } from "./command.ts";
import { type CommandFailure, notImplemented, usageFailure } from "./errors.ts";
import type { OptionSpec, ParsedWords } from "./options.ts";
import {
  isValueError,
  parseInterface,
  parseLabel,
  parseLength,
  parseListen,
  parseName,
  parsePeer,
  parseRendezvous,
  type ValueError,
} from "./values.ts";

/** How long `--once` looks for others unless `--for` says so. */
const onceLengthMs = 30_000;
/** A day: whoever wants more does not want `--once`. */
const onceLengthMsMax = 86_400_000;
/** Labels that fit an `info` record. */
const labelsMax = 16;

/** Options of `mesh run`. */
export const runOptionSpecs: readonly OptionSpec[] = [
  { name: "name", value: "NAME", help: "name of this node (default: the host's name)" },
  {
    name: "listen",
    value: "[HOST:]PORT",
    help: "TCP and UDP port (7411; 0 = any free one, kept)",
  },
  {
    name: "peer",
    value: "HOST:PORT",
    many: true,
    help: "another node to try for ever; repeatable",
  },
  {
    name: "rendezvous",
    value: "URL",
    many: true,
    help: "rendezvous service (not in this version); repeatable",
  },
  { name: "no-multicast", help: "send and hear no beacons" },
  {
    name: "interface",
    value: "NAME",
    many: true,
    help: "discover and listen only on this interface; repeatable",
  },
  { name: "label", value: "K=V", many: true, help: "label to show with this node; repeatable" },
  { name: "dashboard", value: "[HOST:]PORT", help: "serve the dashboard (not in this version)" },
  { name: "metrics", value: "[HOST:]PORT", help: "serve metrics (not in this version)" },
  {
    name: "allow-open-streams",
    help: "let the members of an open mesh open streams to this node",
  },
  { name: "once", help: "find others, synchronise, leave: for cron" },
  { name: "for", value: "LENGTH", help: "how long --once may take: 30s (the default), 2m, …" },
  passphraseOption,
];

type Read<T extends string | object> = (text: string) => T | ValueError;

/** Reads one value; the failure names the option. */
function readValue<T extends string | object>(
  option: string,
  text: string,
  read: Read<T>,
): T | CommandFailure {
  const value = read(text);
  return isValueError(value) ? usageFailure(`--${option} ${value.why}`) : value;
}

function readValues<T extends string | object>(
  parsed: ParsedWords,
  option: string,
  read: Read<T>,
): readonly T[] | CommandFailure {
  const values: T[] = [];
  for (const text of parsed.values(option)) {
    const value = read(text);
    if (isValueError(value)) return usageFailure(`--${option} ${value.why}`);
    values.push(value);
  }
  return values;
}

function isList<T>(value: readonly T[] | CommandFailure): value is readonly T[] {
  return Array.isArray(value);
}

function readLabels(parsed: ParsedWords): Readonly<Record<string, string>> | CommandFailure {
  const labels = new Map<string, string>();
  for (const text of parsed.values("label")) {
    const label = parseLabel(text);
    if (isValueError(label)) return usageFailure(`--label ${label.why}`);
    const [key, value] = label;
    if (labels.has(key)) return usageFailure(`--label gives "${key}" twice`);
    labels.set(key, value);
  }
  if (labels.size > labelsMax) {
    return usageFailure(`--label may be given ${labelsMax} times, not ${labels.size}`);
  }
  return Object.fromEntries(labels);
}

function readOnce(parsed: ParsedWords): { once?: { forMs: number } } | CommandFailure {
  const length = parsed.value("for");
  if (!parsed.has("once")) {
    return length === undefined ? {} : usageFailure("--for goes with --once");
  }
  if (length === undefined) return { once: { forMs: onceLengthMs } };
  const forMs = parseLength(length);
  if (forMs === undefined || forMs === 0 || forMs > onceLengthMsMax) {
    return usageFailure(`--for is a length of time up to a day, as 30s or 2m, not "${length}"`);
  }
  return { once: { forMs } };
}

/** What this version can be asked for and does not do, after the values were checked. */
function refuseLater(parsed: ParsedWords): CommandFailure | undefined {
  for (const option of ["dashboard", "metrics"]) {
    const text = parsed.value(option);
    const place = text === undefined ? undefined : readValue(option, text, parseListen);
    if (place !== undefined) return "exit" in place ? place : notImplemented(`--${option}`);
  }
  return undefined;
}

/** Reads what a node is to be started with. */
export function readRunOptions(
  parsed: ParsedWords,
  stateDirectory: string,
  passphrase: PassphraseSource,
): RunOptions | CommandFailure {
  const nameText = parsed.value("name");
  const name = nameText === undefined ? undefined : parseName(nameText);
  if (name !== undefined && isValueError(name)) return usageFailure(`--name ${name.why}`);
  const listenText = parsed.value("listen");
  const listen: ListenOptions | CommandFailure = listenText === undefined
    ? {}
    : readValue("listen", listenText, parseListen);
  if ("exit" in listen) return listen;
  const peers = readValues(parsed, "peer", parsePeer);
  if (!isList(peers)) return peers;
  const rendezvous = readValues(parsed, "rendezvous", parseRendezvous);
  if (!isList(rendezvous)) return rendezvous;
  const interfaces = readValues(parsed, "interface", parseInterface);
  if (!isList(interfaces)) return interfaces;
  const labels = readLabels(parsed);
  if (isFailure(labels)) return labels;
  const once = readOnce(parsed);
  if (isFailure(once)) return once;
  const later = refuseLater(parsed) ??
    (rendezvous.length > 0 ? notImplemented("--rendezvous") : undefined);
  if (later !== undefined) return later;
  return {
    stateDirectory,
    ...name === undefined ? {} : { name },
    listen,
    peers: [...new Set(peers)],
    rendezvous,
    multicast: !parsed.has("no-multicast"),
    interfaces: [...new Set(interfaces)],
    labels,
    allowOpenStreams: parsed.has("allow-open-streams"),
    ...once,
    passphrase,
  };
}

/** A label may be called "exit", but its value is never a number. */
function isFailure(value: object): value is CommandFailure {
  return "exit" in value && typeof value.exit === "number";
}
