import { assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { parseNodeId } from "../wire/node_id.ts";
import { MemoryStorage } from "../../tests/sim/memory_storage.ts";
import { readSettings, writeSettings } from "./settings.ts";

const nobody = parseNodeId("a".repeat(52));

Deno.test("what was remembered is read again", async () => {
  const storage = new MemoryStorage({ prng: new Prng([1]) });
  assertEquals(await readSettings(storage), { settings: { forgotten: new Map() } });
  const forgotten = new Map(nobody === undefined ? [] : [[nobody, 17] as const]);
  await writeSettings(storage, { port: 7411, forgotten });
  assertEquals(await readSettings(storage), { settings: { port: 7411, forgotten } });
});

Deno.test("settings that mean nothing are set aside; senseless values alone are passed over", async () => {
  for (const text of ["", "{", "[1]", "7", "null"]) {
    const storage = new MemoryStorage({ prng: new Prng([1]) });
    await storage.replace("node.json", utf8(text));
    assertEquals((await readSettings(storage)).setAside, "node.json.damaged-1", text);
    assertEquals(await readSettings(storage), { settings: { forgotten: new Map() } });
  }
  const storage = new MemoryStorage({ prng: new Prng([1]) });
  await storage.replace("node.json", utf8('{"port":"x","forgotten":{"me":1},"more":[]}'));
  assertEquals(await readSettings(storage), { settings: { forgotten: new Map() } });
});

Deno.test("settings that cannot be read at all stop no node, unless they cannot be moved either", async () => {
  class Unreadable extends MemoryStorage {
    override read(): Promise<never> {
      return Promise.reject(new Error("it is not a file"));
    }
  }
  const storage = new Unreadable({ prng: new Prng([1]) });
  await storage.replace("node.json", utf8("{}"));
  assertEquals((await readSettings(storage)).setAside, "node.json.damaged-1");
  await assertRejects(() => readSettings(storage));
});
