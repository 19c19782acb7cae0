import { assert, assertEquals, assertRejects } from "@std/assert";
import { seconds } from "../../../src/base/instant.ts";
import { ParsedWords, parseWords } from "../../../src/cli/options.ts";
import { readSoakOptions } from "../soak.ts";
import {
  RandomWorldFailure,
  replayCommand,
  runRandomWorld,
  type Sabotage,
} from "./random_world.ts";

Deno.test("one seed is one world: the same trace every time, another seed another trace", async () => {
  const first = await runRandomWorld(3);
  assertEquals(await runRandomWorld(3), first);
  assert((await runRandomWorld(12)).trace !== first.trace);
  assert(first.storeChecks > first.nodes && first.faults > 0);
});

function optionsOf(...args: readonly string[]) {
  const names = ["minutes", "seed", "worlds"];
  const parsed = parseWords(args, names.map((name) => ({ name, value: "N", help: name })));
  assert(parsed instanceof ParsedWords);
  return readSoakOptions(parsed);
}

async function failureOf(sabotage: Sabotage): Promise<string> {
  return (await assertRejects(() => runRandomWorld(12, sabotage), RandomWorldFailure)).message;
}

Deno.test("a world that fails shows its seed, its faults, and the command that runs it again", async () => {
  const text = await failureOf({
    healed: () => {
      throw new Error("The bridge is gone");
    },
  });
  assert(text.startsWith("The world of seed 12 failed: The bridge is gone"), text);
  assert(/faults \(s\): \d+\.\d \S/.test(text), text);
  assert(text.endsWith(replayCommand(12)), text);
  assertEquals(optionsOf(...replayCommand(12).split(" ").slice(3)), {
    seed: 12,
    worlds: 1,
    minutes: Number.POSITIVE_INFINITY,
  });
});

Deno.test("a record that nobody signed fails a world", async () => {
  const text = await failureOf({
    before: ({ signatures }) => {
      signatures.add = () => signatures;
    },
  });
  assert(text.includes("nobody signed record"), text);
});

Deno.test("a link without an exchange fails a world", async () => {
  const text = await failureOf({ before: (world) => void (world.streams.noteAnswered = () => {}) });
  assert(text.includes("without proof in both directions"), text);
});

Deno.test("a node that stays down fails a world", async () => {
  const text = await failureOf({
    healed: (world) => {
      world.machines[0]?.kill();
    },
  });
  assert(text.includes("all agree"), text);
});

Deno.test("a timer that is left behind fails a world", async () => {
  const text = await failureOf({
    healed: (world) => void world.time.after(seconds(9_999), () => {}),
  });
  assert(text.includes("1 things would still come due"), text);
});

Deno.test("soak takes a seed, a number of worlds, minutes, and nothing else", () => {
  const endless = Number.POSITIVE_INFINITY;
  assertEquals(optionsOf("--minutes", "2"), { seed: 1, worlds: endless, minutes: 2 });
  assertEquals(optionsOf("--seed", "7", "--worlds", "3"), { seed: 7, worlds: 3, minutes: endless });
  assertEquals(optionsOf(), { seed: 1, worlds: endless, minutes: 5 });
  assertEquals(optionsOf("fast"), 'There is no argument "fast" here');
  for (const name of ["--seed", "--worlds", "--minutes"]) {
    for (const value of ["x", "-1"]) assertEquals(typeof optionsOf(`${name}=${value}`), "string");
  }
});
