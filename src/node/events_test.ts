import { assertEquals } from "@std/assert";
import { turn } from "../../tests/sim/crypto_gate.ts";
import { EventFeed } from "./events.ts";

async function take<E>(events: AsyncIterable<E>, count: number): Promise<E[]> {
  const taken: E[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

Deno.test("every watcher gets what happens from the call on, in order", async () => {
  const feed = new EventFeed<number>();
  const { signal } = new AbortController();
  feed.emit(0);
  const first = feed.watch(signal);
  feed.emit(1);
  const second = feed.watch(signal);
  feed.emit(2);
  feed.emit(3);
  assertEquals(await take(first, 3), [1, 2, 3]);
  assertEquals(await take(second, 2), [2, 3]);
});

Deno.test("a watcher that waits is woken by an event and ended by its signal", async () => {
  const feed = new EventFeed<string>();
  const watching = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of feed.watch(watching.signal)) seen.push(event);
  })();
  await turn();
  feed.emit("a");
  await turn();
  assertEquals(seen, ["a"]);
  watching.abort();
  await reading;
  feed.emit("b");
  assertEquals(seen, ["a"]);
  assertEquals(feed.watchers, 0);
});

Deno.test("a slow watcher loses the oldest, which is counted, and nobody else does", async () => {
  const feed = new EventFeed<number>();
  const { signal } = new AbortController();
  const slow = feed.watch(signal);
  for (let i = 0; i < 1_030; i++) feed.emit(i);
  assertEquals(feed.lost, 6);
  assertEquals(await take(slow, 2), [6, 7]);
});

Deno.test("a watcher whose reader never began is forgotten with its signal", () => {
  const feed = new EventFeed<number>();
  const watching = new AbortController();
  feed.watch(watching.signal);
  assertEquals(feed.watchers, 1);
  watching.abort();
  assertEquals(feed.watchers, 0);
  feed.watch(watching.signal);
  assertEquals(feed.watchers, 0);
});
