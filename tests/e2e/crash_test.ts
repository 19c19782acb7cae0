/** Nodes that are killed at any moment: what they promised holds, and the next start works. */
import { assert, assertEquals } from "@std/assert";
import { pause } from "../../scripts/eventually.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { Prng } from "../../src/base/prng.ts";
import { DirectoryStorage, SystemEntropy } from "../../src/host/mod.ts";
import { openRecordLog, readLog, recordLogName, verifyRecord } from "../../src/sync/mod.ts";
import { infoKind, linksKind } from "../../src/wire/record_key.ts";
import { alone, aloneWith, mesh, resultOf, RunningCommand, Scratch } from "./command_line.ts";
import { eventually } from "./eventually.ts";
import { fillStore } from "./filled_store.ts";
import { NodeProcess } from "./node_process.ts";

/** Kills of a running node, and of a first start. */
const kills = 60;
const firstStarts = 30;
/** Nodes that crash side by side. */
const victims = 2;
/**
 * Where serials begin: the milliseconds of the year 2100. The clock, which is below, then hides no
 * serial that the disk has lost.
 */
const serialAhead = Date.UTC(2100, 0);

function seeded(): Prng {
  const seed = crypto.getRandomValues(new Uint32Array(4));
  // Chance is in the scheduling too; the seed at least repeats the choice of moments.
  console.log(`seed ${seed.join(" ")}`);
  return new Prng([...seed]);
}

async function raiseSerial(state: string): Promise<void> {
  const { log } = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
  await log.appendEntries([{ kind: "own serial", serial: serialAhead }]);
  await log.sync();
  await log.close();
}

/** What a node's disk holds after a crash: never damage, at most a torn end. */
async function assertReadable(state: string): Promise<void> {
  const bytes = await Deno.readFile(`${state}/${recordLogName}`);
  assertEquals(readLog(bytes).damagedBytes, 0);
}

/** The serial of the `info` that another holds of a node; 0 for none. */
async function seenSerial(witness: NodeProcess, id: string): Promise<number> {
  return (await witness.nodes()).find((node) => node.id === id)?.serial ?? 0;
}

/** All records of an author in the order in which a node wrote them down: kind and serial. */
async function writtenDown(state: string, author: string): Promise<(readonly [number, number])[]> {
  const { entries } = readLog(await Deno.readFile(`${state}/${recordLogName}`));
  const written: (readonly [number, number])[] = [];
  for (const entry of entries) {
    if (entry.kind !== "record") continue;
    const record = await verifyRecord(entry.bytes);
    assert(!(record instanceof DecodeError));
    if (record.author === author) written.push([record.kind, record.serial]);
  }
  return written;
}

Deno.test(`killed ${kills} times at any moment, a node never goes back behind its serial`, async () => {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(new Scratch());
  const prng = seeded();
  const others = 200;
  const witnessState = scratch.state("witness");
  await fillStore(witnessState, others);
  const witness = stack.use(
    await NodeProcess.start({ ...await aloneWith("witness", []), state: witnessState }),
  );
  let published = 0;

  async function crashAgainAndAgain(name: string): Promise<void> {
    const state = scratch.state(name);
    const { id } = resultOf(await mesh(["id", "--json", "--state", state]));
    assert(typeof id === "string");
    await raiseSerial(state);
    let highest = serialAhead;
    let toReadyMs = 500;
    for (let round = 1; round <= kills / victims; round++) {
      const options = await aloneWith(name, [witness], "--label", `round=${round}`);
      const begun = performance.now();
      const node = NodeProcess.spawn({ ...options, state });
      try {
        // In turn: while it starts, as soon as it is ready, while its links are published.
        if (round % 3 === 0) await pause(prng.between(0.2, 1) * toReadyMs);
        else {
          assertEquals((await node.ready()).id, id);
          toReadyMs = performance.now() - begun;
          if (round % 3 === 1) await pause(prng.between(0, 200));
          else {
            await eventually(`${name} is seen in round ${round}`, async () => {
              const entry = (await witness.nodes()).find((one) => one.id === id);
              return entry?.labels["round"] === String(round);
            });
            await pause(prng.between(0, 900));
          }
        }
      } finally {
        await node.kill();
      }
      await assertReadable(state);
      const seen = await seenSerial(witness, id);
      assert(seen === 0 || seen > serialAhead, `${seen}`);
      assert(seen === 0 || seen >= highest, `${name}: ${seen} after ${highest}`);
      if (seen > highest) published += 1;
      highest = Math.max(highest, seen);
    }
    const written = await writtenDown(witnessState, id);
    for (const kind of [infoKind, linksKind]) {
      const serials = written.filter(([one]) => one === kind).map(([, serial]) => serial);
      assertEquals(serials, [...new Set(serials)].sort((a, b) => a - b), `${name}: kind ${kind}`);
      assert(serials.length > 0, `${name}: no record of kind ${kind} was seen`);
      highest = Math.max(highest, ...serials);
    }
    const last = stack.use(
      await NodeProcess.start({
        ...await aloneWith(name, [witness], "--label", "round=last"),
        state,
      }),
    );
    assertEquals((await last.ready()).id, id);
    // What it publishes first is newer than all that anybody saw: without the witness telling it so.
    const own = (await last.nodes()).find((node) => node.id === id);
    assert(own !== undefined && own.serial > highest, `${own?.serial} after ${highest}`);
    await eventually(`${name} is seen as it is now`, async () => {
      const entry = (await witness.nodes()).find((node) => node.id === id);
      return entry?.labels["round"] === "last" && entry.serial === own.serial;
    });
    await eventually(
      `${name} knows everybody`,
      async () => (await last.status()).known === others + 1 + victims,
    );
    const codes = (await last.status()).warnings.map(({ code }) => code);
    for (const code of ["store-damaged", "duplicate-identity", "publishing"]) {
      assert(!codes.includes(code), codes.join());
    }
    assertEquals(
      (await Array.fromAsync(Deno.readDir(state))).filter(({ name }) => name.includes("damaged")),
      [],
    );
  }

  await Promise.all(
    Array.from({ length: victims }, (_, at) => crashAgainAndAgain(`victim-${at}`)),
  );
  // The moments were not all before the first record.
  assert(published >= kills / 4, `only ${published} of ${kills} starts were seen to publish`);
  const remarks = witness.log().split("\n").filter((line) =>
    line.includes("two records under one")
  );
  assertEquals(remarks, []);
  const { warnings } = await witness.status();
  assert(!warnings.some(({ code }) => code === "store-damaged" || code === "duplicate-identity"));
});

Deno.test(`killed in ${firstStarts} first starts, a node has one key or none, and starts`, async () => {
  await using scratch = new Scratch();
  const prng = seeded();
  const words = (at: number, state: string) =>
    at % 2 === 0 ? ["id", "--state", state] : ["run", ...alone, "--state", state];
  // Longer after a kill that came before the key, shorter after one that came later: so the kills
  // gather around the moment, however busy the machine is.
  const waitMs = [150, 250];
  let withKey = 0;
  await Promise.all([0, 1].map(async (half) => {
    for (let round = 0; round < firstStarts / 2; round++) {
      const state = scratch.state(`first-${half}-${round}`);
      await using command = new RunningCommand(words(half, state));
      const wait = waitMs[half] ?? 0;
      await pause(prng.between(0.7, 1.3) * wait);
      command.signal("SIGKILL");
      await command.ended;
      const names = await namesIn(state);
      const keys = names.filter((name) => name === "identity.key");
      // A key that was being written has another name, and is nobody's.
      assert(
        names.every((name) =>
          /^(identity\.key|lock|node\.json|records\.log|control\.sock|\..*\.tmp)$/.test(name)
        ),
        names.join(),
      );
      const key = keys.length === 0 ? undefined : await Deno.readTextFile(`${state}/identity.key`);
      withKey += keys.length;
      waitMs[half] = wait * (keys.length === 0 ? 1.3 : 0.7);
      const id = resultOf(await mesh(["id", "--json", "--state", state]))["id"];
      if (key !== undefined) assertEquals(await Deno.readTextFile(`${state}/identity.key`), key);
      const once = ["run", ...alone, "--once", "--for", "1ms", "--json", "-q", "--state", state];
      const found = await mesh(once);
      assertEquals(found.code, 6, `${found.stdout}${found.stderr}`);
      assertEquals(resultOf(await mesh(["id", "--json", "--state", state]))["id"], id);
    }
  }));
  assert(withKey > 0 && withKey < firstStarts, `${withKey} of ${firstStarts} had a key already`);
});

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
