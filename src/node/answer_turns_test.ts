import { assertEquals } from "@std/assert";
import { AnswerTurns } from "./answer_turns.ts";

/** Lets everything that waits for no turn come to rest. */
async function rest(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("each turn is given to one alone, to all who ask in the order in which they ask", async () => {
  const breaths: (() => void)[] = [];
  const turns = new AnswerTurns(() => new Promise((resolve) => breaths.push(resolve)));
  const given: string[] = [];
  const answer = async (name: string) => {
    for (let i = 0; i < 3; i++) {
      await turns.next();
      given.push(name);
    }
  };
  const answers = Promise.all([answer("a"), answer("b"), answer("c")]);
  for (let turn = 0; turn < 9; turn++) {
    await rest();
    assertEquals(given.length, turn);
    assertEquals(breaths.length, 1, "nobody takes a breath while another does");
    breaths.pop()?.();
  }
  await answers;
  assertEquals(given.join(""), "abcabcabc");
});
