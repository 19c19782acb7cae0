/**
 * The house rules, as a program: which room may import which, who may speak to the outside, what
 * no file may hold. Exits 1 with one line per breach. `deno task tidy`
 *
 * @module
 */
import { codeOnly, roomOf, type SourceFile, sourceFiles } from "./house.ts";

/**
 * The floors of the house, lowest first: a file imports from its own room or from a lower floor,
 * never sideways. `platform` is types alone and stands beside `wire`.
 */
export const floors: readonly (readonly string[])[] = [
  ["std"],
  ["base", "version"],
  ["wire"],
  ["crypto", "platform", "control"],
  ["identity"],
  ["session"],
  ["discovery", "sync"],
  ["node", "host", "selftest"],
  ["cli"],
  ["main"],
];

/** Imports across a floor that the picture in ARCHITECTURE.md names. */
const doors: readonly (readonly [from: string, to: string])[] = [
  // The node's production wiring chooses the host's implementations.
  ["node", "host"],
];

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  readonly allowed: (file: SourceFile) => boolean;
  readonly why: string;
}

const isTest = (file: SourceFile) => file.path.endsWith("_test.ts");
const inRoom = (file: SourceFile, ...rooms: readonly string[]) =>
  rooms.includes(roomOf(file.path) ?? "");
const outsideSource = (file: SourceFile) => roomOf(file.path) === undefined;

const rules: readonly Rule[] = [
  {
    name: "deno-in-host",
    pattern: /\bDeno\.(?!test\b)/,
    allowed: (file) => outsideSource(file) || isTest(file) || inRoom(file, "host", "main"),
    why: "only src/host and src/main.ts speak to the runtime",
  },
  {
    name: "subtle-in-crypto",
    pattern: /\bcrypto\.subtle\b|\bgetRandomValues\b|node:crypto/,
    allowed: (file) =>
      outsideSource(file) || isTest(file) || inRoom(file, "crypto") ||
      file.path === "src/host/system_entropy.ts",
    why: "cryptography lives in src/crypto, randomness in Entropy",
  },
  {
    name: "clock-in-host",
    pattern:
      /\bDate\.now\b|\bperformance\.now\b|\bsetTimeout\b|\bsetInterval\b|\bnew Date\(\)|\bMath\.random\b/,
    allowed: (file) => outsideSource(file) || isTest(file) || inRoom(file, "host"),
    why: "time is an argument and choices come from a seeded Prng; only src/host has clocks",
  },
  {
    name: "no-sleep-in-tests",
    pattern: /\bsetTimeout\(|\bdelay\(|\bsleep\(/,
    allowed: (file) => !isTest(file) && !file.path.startsWith("tests/"),
    why: "a test waits for the event, with a deadline",
  },
  {
    name: "sizes-of-properties",
    pattern: /^(?!.*\bsize:)(?!.*\bminLength: \d\d).*\bmaxLength: (?:1[1-9]|[2-9]\d|\d{3})/,
    allowed: (file) => !isTest(file),
    why: "fast-check stops at ten elements, whatever maxLength says, unless it is told a size",
  },
  {
    name: "no-any",
    pattern: /:\s*any\b|\bas any\b|<any>|\bas unknown as\b/,
    // This file spells the pattern.
    allowed: (file) =>
      isTest(file) || file.path.startsWith("tests/") || file.path === "scripts/tidy.ts",
    why: "types carry meaning",
  },
  {
    name: "no-empty-catch",
    pattern: /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}/,
    allowed: () => false,
    why: "a swallowed error says why",
  },
  {
    name: "node-modules-in-host",
    pattern: /\bfrom\s+["']node:/,
    allowed: (file) => outsideSource(file) || isTest(file) || inRoom(file, "host"),
    why: "node: modules are an outside",
  },
];

/** Rules whose pattern looks at whole comments and strings too, not at code alone. */
const readsStrings = new Set(["no-empty-catch", "node-modules-in-host"]);

function floorOf(room: string): number {
  return floors.findIndex((floor) => floor.includes(room));
}

function* importBreaches(file: SourceFile): Generator<string> {
  const room = roomOf(file.path);
  if (room === undefined) return;
  const own = floorOf(room);
  if (own < 0) yield `${file.path}: room "${room}" stands on no floor; give it one in tidy.ts`;
  for (const imported of file.imports) {
    const target = roomOf(imported);
    if (target === undefined) {
      if (imported.startsWith("tests/") && !isTest(file)) {
        yield `${file.path}: imports ${imported}, which is a test's`;
      }
      continue;
    }
    if (target === room || isTest(file)) continue;
    if (doors.some(([from, to]) => from === room && to === target)) continue;
    if (floorOf(target) >= own) {
      yield `${file.path}: ${room} may not import ${target} (${imported})`;
    }
    const throughMod = imported.endsWith("/mod.ts") ||
      ["base", "wire", "platform", "std", "version", "crypto"].includes(target);
    if (!throughMod) yield `${file.path}: imports ${imported}; other rooms are entered by mod.ts`;
  }
}

function* patternBreaches(file: SourceFile): Generator<string> {
  const code = codeOnly(file.text);
  for (const rule of rules) {
    if (rule.allowed(file)) continue;
    const text = readsStrings.has(rule.name) ? file.text : code;
    for (const [at, line] of text.split("\n").entries()) {
      if (rule.pattern.test(line)) yield `${file.path}:${at + 1}: ${rule.name}: ${rule.why}`;
    }
  }
}

/** Every breach of the rules in these files, one line each. */
export function breaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...importBreaches(file), ...patternBreaches(file)]);
}

if (import.meta.main) {
  const found = breaches(await sourceFiles("src", "tests", "scripts", "build", "bench"));
  for (const line of found) console.error(line);
  if (found.length > 0) {
    console.error(`tidy: ${found.length} breaches of the house rules`);
    Deno.exit(1);
  }
  console.log("tidy: the house is in order");
}
