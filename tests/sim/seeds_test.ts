import { assert } from "@std/assert";
import { root } from "../../scripts/house.ts";

/** Worlds that every run of the tests goes through; `deno task soak` goes on from there. */
const worldsPerCore = 120;

/** The worlds from this seed on, in a process of their own with stand-in cryptography. */
async function soak(seed: number, worlds: number): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--import-map", "tests/sim/stand_in_import_map.json", "tests/sim/soak.ts"],
      ...["--seed", String(seed), "--worlds", String(worlds)],
    ],
    cwd: root,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  const failures = text.decode(stderr);
  if (failures !== "") throw new Error(failures);
  return text.decode(stdout);
}

Deno.test("a few hundred random worlds keep what must hold, and agree when their faults stop", async () => {
  const both = await Promise.all([soak(1, worldsPerCore), soak(1_001, worldsPerCore)]);
  for (const text of both) {
    assert(text.endsWith(`${worldsPerCore} worlds, 0 failed\n`), text.slice(-2_000));
  }
});
