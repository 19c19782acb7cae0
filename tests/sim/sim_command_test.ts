import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { root } from "../../scripts/house.ts";

async function sim(...args: readonly string[]) {
  const map = `${root}/tests/sim/stand_in_import_map.json`;
  const command = ["run", "-A", "--quiet", "--import-map", map, `${root}/scripts/sim.ts`, ...args];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: command,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), said: decoder.decode(stderr) };
}

interface Figure {
  readonly name: string;
  readonly value: string;
  readonly isOfThisMachine?: true;
}

/** What the same seed gives the same of. */
function lasting(json: string): Figure[] {
  const figures: Figure[] = JSON.parse(json);
  return figures.filter(({ isOfThisMachine }) => isOfThisMachine !== true);
}

Deno.test("a simulated fleet has one history for one seed, and another for another", async () => {
  const args = ["--nodes", "9", "--lans", "2", "--minutes", "2", "--ends", "1", "--json"];
  const [one, again, other] = await Promise.all([
    sim(...args, "--loss", "0.1"),
    sim(...args, "--loss", "0.1"),
    sim(...args, "--loss", "0.1", "--seed", "8"),
  ]);
  assertEquals([one.code, again.code, other.code], [0, 0, 0], one.said);
  assertEquals(lasting(again.out), lasting(one.out));
  const historyOf = (json: string) => lasting(json).find(({ name }) => name === "history")?.value;
  assert(historyOf(one.out) !== undefined && historyOf(one.out) !== historyOf(other.out));
});

Deno.test("an assembled fleet is in step from the start, and stands changes and ends", async () => {
  const args = ["--nodes", "14", "--lans", "2", "--assembled", "--minutes", "1", "--ends", "1"];
  const { code, out, said } = await sim(...args, "--changes", "1", "--json");
  assertEquals(code, 0, said);
  const valueOf = (name: string) => lasting(out).find((figure) => figure.name === name)?.value;
  assertEquals(valueOf("all know all"), undefined);
  assertEquals(valueOf("false alarms"), "0");
  // Nobody dials anybody: nothing is left to be found.
  assertEquals(said.includes("tls"), false, said);
  assert(Number(valueOf("changed record known by all")) < 1, out);
  assert(Number(valueOf("silent host known, last")) < 10, out);
});

Deno.test("a fleet that only forms is not measured at rest", async () => {
  const { code, out, said } = await sim("--nodes", "9", "--lans", "3", "--forming", "--json");
  assertEquals(code, 0, said);
  assertEquals(lasting(out).map(({ name }) => name), ["all know all", "history"]);
});

Deno.test("wrong options of the simulator are named, with what they take", async () => {
  const [tooMany, noNumber, unknown, crowded, noFleet, mixed, nowhere, unfit, stands, help] =
    await Promise.all([
      sim("--nodes", "1"),
      sim("--loss", "lots"),
      sim("--node", "10"),
      sim("--nodes", "600", "--lans", "2"),
      sim("loss", "rain"),
      sim("loss", "--nodes", "10"),
      sim("--scenario", "power-cut,flood"),
      sim("--scenario", "power-cut", "--loss", "0.1"),
      sim("--forming", "--assembled"),
      sim("--help"),
    ]);
  const allWrong = [tooMany, noNumber, unknown, crowded, noFleet, mixed, nowhere, unfit, stands];
  for (const wrong of allWrong) assertEquals(wrong.code, 2, wrong.said);
  assertEquals(help.code, 0);
  assertStringIncludes(noFleet.said, '"rain" is no fleet of the table; there are: ten, loss, ');
  assertStringIncludes(mixed.said, '"loss" is of the table, which has no options');
  assertStringIncludes(nowhere.said, 'There is no scenario "flood"');
  assertStringIncludes(stands.said, "--forming does not go with --assembled");
  assertStringIncludes(unfit.said, "--loss does not go with --scenario");
  assertStringIncludes(help.out, "a third of the fleet lies");
  assertStringIncludes(tooMany.said, '--nodes takes a whole number from 2 to 50000, not "1"');
  assertStringIncludes(noNumber.said, '--loss takes a number from 0 to 0.9, not "lots"');
  assertStringIncludes(unknown.said, "no option --node ");
  assertStringIncludes(crowded.said, "at least 3");
  assertStringIncludes(help.out, "milliseconds");
});

Deno.test("a scenario is played by its name, and says what it found", async () => {
  const { code, out, said } = await sim("--scenario", "two-islands", "--nodes", "6", "--json");
  assertEquals(code, 0, said);
  const found = lasting(out).map(({ name }) => name);
  assert(found.includes("two-islands: all agree after the bridge returns"), out);
  assertStringIncludes(said, "two islands that changed apart converge");
});
