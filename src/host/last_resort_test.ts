import { assert, assertEquals } from "@std/assert";

const program = new URL("../../tests/fixtures/last_resort_program.ts", import.meta.url);

/** Runs the program into the fault: its exit code and the lines it printed. */
async function meet(fault: string) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--quiet", "--unstable-net", "-A", program.pathname, fault],
    stderr: "null",
  }).output();
  return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
}

for (
  const fault of [
    "a socket without an error listener",
    "a rejection of the platform",
    "network code called wrongly",
  ]
) {
  Deno.test(`${fault} is reported and does not end the process`, async () => {
    const { code, lines } = await meet(fault);
    assertEquals([code, lines.length, lines.at(-1)], [0, 2, "alive"]);
    assert(lines[0]?.startsWith("reported "));
  });
}

for (
  const fault of [
    "a mistake of ours",
    "a rejection of ours",
    "no error at all",
    "a message that looks like a place",
  ]
) {
  Deno.test(`${fault} ends the process`, async () => {
    assertEquals(await meet(fault), { code: 1, lines: [""] });
  });
}

Deno.test("a storm of errors does not fill the log", async () => {
  const { lines } = await meet("a storm");
  assertEquals([lines.length, lines.at(-1)], [2, "alive"]);
});
