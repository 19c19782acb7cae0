import { assertEquals } from "@std/assert";
import { Inbox } from "./inbox.ts";

Deno.test("an inbox that is full lets the oldest go and counts it", async () => {
  const inbox = new Inbox<number>(2);
  for (const item of [1, 2, 3]) inbox.put(item);
  inbox.end();
  assertEquals(await Array.fromAsync(inbox), [2, 3]);
  assertEquals(inbox.dropped, 1);
});

Deno.test("what is put after the end is forgotten, what was queued before is taken", async () => {
  const inbox = new Inbox<number>(9);
  inbox.put(1);
  inbox.end();
  inbox.put(2);
  assertEquals(await Array.fromAsync(inbox), [1]);
});

Deno.test("who waits for an item is woken by it, and by the end", async () => {
  const inbox = new Inbox<number>(9);
  const taken = Array.fromAsync(inbox);
  await Promise.resolve();
  inbox.put(1);
  await Promise.resolve();
  inbox.end();
  assertEquals(await taken, [1]);
});
