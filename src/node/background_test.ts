import { assertEquals } from "@std/assert";
import { Background } from "./background.ts";

Deno.test("work that fails is reported by name, once, and stops nothing else", async () => {
  const reports: string[] = [];
  const background = new Background((what, error) => reports.push(`${what}: ${error}`));
  const later = Promise.withResolvers<void>();
  background.own("breaks", Promise.reject(new Error("no")));
  background.own("goes on", later.promise);
  assertEquals(background.size, 2);
  later.resolve();
  await background.settled();
  assertEquals(reports, ["breaks: Error: no"]);
  assertEquals(background.size, 0);
});

Deno.test("who handed work over is told of its end, however it ended", async () => {
  const ends: string[] = [];
  const background = new Background(() => ends.push("reported"));
  background.own("breaks", Promise.reject(new Error("no")), () => ends.push("broke"));
  background.own("works", Promise.resolve(), () => ends.push("worked"));
  await background.settled();
  assertEquals(ends.toSorted(), ["broke", "reported", "worked"]);
});

Deno.test("settling waits for work that was begun while it waited", async () => {
  const background = new Background(() => {});
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done: string[] = [];
  background.own(
    "first",
    first.promise.then(() => {
      background.own("second", second.promise.then(() => done.push("second")));
    }),
  );
  const settled = background.settled().then(() => done.push("settled"));
  first.resolve();
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assertEquals(done, []);
  second.resolve();
  await settled;
  assertEquals(done, ["second", "settled"]);
});
