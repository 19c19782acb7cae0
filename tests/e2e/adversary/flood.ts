/** Starts floods in a process of their own. @module */
import { root } from "../../../scripts/house.ts";

/** A flood under way; resolves to what it did. */
export async function flood(
  words: readonly string[],
  namespace?: string,
): Promise<Record<string, number>> {
  const script = `${root}/tests/e2e/adversary/flood_process.ts`;
  const run = [Deno.execPath(), "run", "-A", "--cached-only", script, ...words];
  const [program = "", ...args] = namespace === undefined
    ? run
    : ["ip", "netns", "exec", namespace, ...run];
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd: root }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`The flood failed: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}
