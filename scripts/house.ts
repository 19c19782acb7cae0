/**
 * The source tree as text: files and what they import. Read by `tidy` and `graph`.
 *
 * @module
 */
import { dirname, fromFileUrl, join, relative } from "./paths.ts";

/** One TypeScript file of the project. */
export interface SourceFile {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports or re-exports: project paths for relative specifiers, else as written. */
  readonly imports: readonly string[];
}

/** The project's root directory. */
export const root = fromFileUrl(new URL("..", import.meta.url));

const importPattern = /(?:^|\n)\s*(?:import|export)\b[^;'"]*?(?:from\s*)?["']([^"']+)["']/g;
const dynamicImportPattern = /\bimport\(\s*["']([^"']+)["']/g;

function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  for (const pattern of [importPattern, dynamicImportPattern]) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match[1] ?? "";
      found.push(specifier.startsWith(".") ? join(dirname(path), specifier) : specifier);
    }
  }
  return found;
}

/** Every `.ts` file below the folders, in order of path. */
export async function sourceFiles(...folders: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  async function visit(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(folder)) {
      const full = join(folder, entry.name);
      if (entry.isDirectory) await visit(full);
      else if (entry.name.endsWith(".ts")) {
        const path = relative(root, full);
        const text = await Deno.readTextFile(full);
        files.push({ path, text, imports: importsOf(path, text) });
      }
    }
  }
  for (const folder of folders) await visit(join(root, folder));
  return files.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** The room a file of `src/` stands in: `sync` for `src/sync/push.ts`, `main` for `src/main.ts`. */
export function roomOf(path: string): string | undefined {
  const parts = path.split("/");
  if (parts[0] !== "src") return undefined;
  return parts.length === 2 ? (parts[1] ?? "").replace(/\.ts$/, "") : parts[1];
}

/** The text without comments and without the contents of strings, line numbers kept. */
export function codeOnly(text: string): string {
  const pattern =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\$]|\\.|\$(?!\{))*`/g;
  return text.replace(pattern, (piece) => piece.replace(/[^\n]/g, " "));
}
