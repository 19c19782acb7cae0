/** Nodes' logs that are killed while they are written anew, on a real disk. */
import { assert, assertEquals } from "@std/assert";
import { pause } from "../../scripts/eventually.ts";
import { root } from "../../scripts/house.ts";
import { Prng } from "../../src/base/prng.ts";
import { DirectoryStorage, SystemEntropy } from "../../src/host/mod.ts";
import { openRecordLog, readLog, recordLogName } from "../../src/sync/mod.ts";
import { Scratch } from "./command_line.ts";
import { anothers, heldFirst } from "./compacting_process.ts";

const kills = 16;
/** The file that is to take the log's place. */
const nextName = "records.next";

/** Starts the writer, kills it `afterMs` after it has begun; the last serial that it said is written. */
async function writeUntilKilled(state: string, first: number, afterMs: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--cached-only",
      `${root}/tests/e2e/compacting_process.ts`,
      state,
      `${first}`,
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let said = "";
  let killing: Promise<void> | undefined;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
    killing ??= pause(afterMs).then(() => child.kill("SIGKILL"));
  }
  await killing;
  assertEquals((await child.status).signal, "SIGKILL");
  // The last line may be torn.
  return Math.max(0, ...said.split("\n").slice(1, -1).map(Number));
}

Deno.test(`killed ${kills} times while it is written anew, a log keeps all that was promised`, async () => {
  await using scratch = new Scratch();
  const state = scratch.state("log");
  const seeds = crypto.getRandomValues(new Uint32Array(4));
  console.log(`seed ${seeds.join(" ")}`);
  const prng = new Prng([...seeds]);
  let [promised, inTheMiddle] = [0, 0];
  for (let round = 0; round < kills; round++) {
    const before = promised;
    promised = Math.max(promised, await writeUntilKilled(state, promised + 1, prng.between(0, 60)));
    const names = (await Array.fromAsync(Deno.readDir(state))).map(({ name }) => name).sort();
    assert(names.every((name) => [nextName, recordLogName].includes(name)), names.join());
    if (names.includes(nextName)) inTheMiddle++;
    const found = readLog(await Deno.readFile(`${state}/${recordLogName}`));
    assertEquals(found.damagedBytes, 0);
    const opened = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
    assertEquals(opened.damage, undefined);
    assert(opened.ownSerial >= promised, `${opened.ownSerial} after ${promised}`);
    const held = new Set(
      opened.entries.flatMap((entry) => entry.kind === "record" ? [entry.bytes.toHex()] : []),
    );
    for (let serial = 1; serial <= promised; serial++) {
      assert(held.has(anothers(serial).bytes.toHex()), `${serial} of ${promised}, round ${round}`);
    }
    assert(held.size >= heldFirst + promised && promised >= before);
    await opened.log.close();
    assertEquals((await Array.fromAsync(Deno.readDir(state))).map(({ name }) => name), [
      recordLogName,
    ]);
    // What was written and not promised may be there: the next serial is above it.
    promised = Math.max(promised, opened.ownSerial);
  }
  assert(inTheMiddle > kills / 4, `${inTheMiddle} of ${kills} were killed in the middle`);
});
