/**
 * Makes the executable for this machine: bundle, write version and time into the bundle, compile.
 * The same sources, version and time give the same bytes.
 *
 *     deno task build [--version 1.2.3] [--seq 42] [--output dist/mesh]
 *
 * `DENORT_BIN` names a local base runtime, else Deno fetches its own. `SOURCE_DATE_EPOCH` (seconds)
 * is the time written into it; without it, that of the last commit.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { root } from "../scripts/house.ts";
import { dirname } from "../scripts/paths.ts";
import { productSeq, productVersion } from "../src/version.ts";

async function run(...words: readonly string[]): Promise<string> {
  const [program = "", ...args] = words;
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd: root }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`"${words.join(" ")}" failed:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Milliseconds to write into the executable. */
async function buildTime(): Promise<number> {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  if (epoch !== undefined) return Number(epoch) * 1_000;
  try {
    return Number(await run("git", "log", "-1", "--format=%ct")) * 1_000;
  } catch (error) {
    console.warn(`No commit to take the time from, using now: ${String(error)}`);
    return Date.now();
  }
}

/** Replaces the value of the one constant of that name in the bundle. */
export function replaceConstant(bundle: string, name: string, value: string): string {
  // The bundler declares a constant where it is given, or apart and before (for `import()`).
  const pattern = new RegExp(`^(\\s*(?:(?:var|const|let) )?${name} = )[^;\\n]+;`, "gm");
  const found = bundle.match(pattern)?.length ?? 0;
  if (found !== 1) throw new Error(`The bundle has ${found} constants named ${name}, not one.`);
  return bundle.replace(pattern, `$1${value};`);
}

/**
 * What an executable may do: everything. It must write and run any file (the updater replaces it and
 * starts it), so a list of permissions would bound nothing; and without `-A` the runtime refuses even
 * to read /sys. The service manager's sandbox is the boundary (SECURITY.md).
 */
const permissions = ["--allow-all"];

/** Bundles and compiles; resolves to the executable's path. */
export async function build(
  options: { readonly version: string; readonly seq: number; readonly output: string },
): Promise<string> {
  const output = options.output.startsWith("/") ? options.output : `${root}/${options.output}`;
  await Deno.mkdir(dirname(output), { recursive: true });
  const script = `${output}.js`;
  const deno = Deno.execPath();
  await run(deno, "bundle", "--platform", "deno", "--output", script, "src/main.ts");
  let text = await Deno.readTextFile(script);
  text = replaceConstant(text, "productVersion", JSON.stringify(options.version));
  text = replaceConstant(text, "productSeq", String(options.seq));
  text = replaceConstant(text, "productBuiltAt", String(await buildTime()));
  await Deno.writeTextFile(script, text);
  // The compiled file system keeps modification times; one of them fixed keeps builds equal.
  await Deno.utime(script, 0, 0);
  await run(
    deno,
    "compile",
    "--no-config",
    "--no-check",
    "--unstable-net",
    "--unstable-kv",
    // The cache lies at a predictable path of the temporary directory, whoever owns it.
    "--no-code-cache",
    // Semi-spaces grow to 16 MiB each while a store is read and stay: a third of what a node takes.
    "--v8-flags=--max-semi-space-size=2",
    ...permissions,
    "--output",
    output,
    script,
  );
  await Deno.remove(script);
  return output;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["version", "seq", "output"] });
  const version = String(flags.version ?? productVersion);
  const seq = Number(flags.seq ?? productSeq);
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) || !Number.isSafeInteger(seq) || seq < 0) {
    console.error("Usage: deno task build [--version 1.2.3] [--seq 42] [--output dist/mesh]");
    Deno.exit(2);
  }
  const path = await build({ version, seq, output: String(flags.output ?? "dist/mesh") });
  console.log(`${path} (${(await Deno.stat(path)).size} bytes)`);
}
