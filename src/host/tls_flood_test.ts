/** The TLS port under a flood: what it sheds must leave nothing behind. */
import { assert } from "@std/assert";

Deno.test("a connection that is shed before it spoke leaves nothing in memory", async () => {
  const script = new URL("../../tests/fixtures/tls_flood.ts", import.meta.url);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", "--v8-flags=--expose-gc", script.href],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const bytesEach = Number(new TextDecoder().decode(stdout));
  // A connection that is kept costs some 5,000.
  assert(bytesEach < 2_500, `${bytesEach} bytes for each connection`);
});
