/**
 * Everything quick, before a commit: format, lint, types, house rules, picture, unit tests.
 * `deno task ok`
 *
 * @module
 */
import { root } from "./house.ts";

const steps: readonly (readonly string[])[] = [
  ["fmt", "--check"],
  ["lint"],
  ["check", "."],
  ["task", "tidy"],
  ["task", "graph"],
  ["task", "test:unit"],
];

for (const step of steps) {
  console.log(`\n$ deno ${step.join(" ")}`);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [...step],
    cwd: root,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) {
    console.error(`\nNot ok: deno ${step.join(" ")}`);
    Deno.exit(1);
  }
}
console.log("\nok");
