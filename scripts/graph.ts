/**
 * The picture of the house: which room imports which, from the code as it is. Fails when
 * ARCHITECTURE.md shows another one; `--write` mends the picture there.
 * `deno task graph [--write]`
 *
 * @module
 */
import { roomOf, root, type SourceFile, sourceFiles } from "./house.ts";

const fence = "```rooms\n";

/** One line per room: `sync → base, crypto, wire`. Tests do not count. */
export function picture(files: readonly SourceFile[]): string {
  const edges = new Map<string, Set<string>>();
  for (const file of files) {
    const room = roomOf(file.path);
    if (room === undefined || file.path.endsWith("_test.ts")) continue;
    const targets = edges.get(room) ?? new Set<string>();
    edges.set(room, targets);
    for (const imported of file.imports) {
      const target = roomOf(imported);
      if (target !== undefined && target !== room) targets.add(target);
    }
  }
  const lines = [...edges].sort(([a], [b]) => a < b ? -1 : 1).map(([room, targets]) =>
    targets.size === 0 ? room : `${room} → ${[...targets].sort().join(", ")}`
  );
  return `${lines.join("\n")}\n`;
}

/** The document with its picture replaced; `undefined` if it has no place for one. */
export function withPicture(document: string, lines: string): string | undefined {
  const start = document.indexOf(fence);
  const end = start < 0 ? -1 : document.indexOf("```", start + fence.length);
  if (end < 0) return undefined;
  return document.slice(0, start + fence.length) + lines + document.slice(end);
}

if (import.meta.main) {
  const path = `${root}/ARCHITECTURE.md`;
  const lines = picture(await sourceFiles("src"));
  const document = await Deno.readTextFile(path);
  const updated = withPicture(document, lines);
  console.log(lines);
  if (updated === undefined) {
    console.error('ARCHITECTURE.md has no block that begins with "```rooms".');
    Deno.exit(1);
  }
  if (updated !== document) {
    if (!Deno.args.includes("--write")) {
      console.error("ARCHITECTURE.md shows another house. Look, then: deno task graph --write");
      Deno.exit(1);
    }
    await Deno.writeTextFile(path, updated);
  }
}
