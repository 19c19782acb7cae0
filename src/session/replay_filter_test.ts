import { assert, assertEquals } from "@std/assert";
import { encodeUint } from "../base/bytes.ts";
import { ReplayFilter } from "./replay_filter.ts";

const handle = new Uint8Array(24);

Deno.test("a request is new once", () => {
  const filter = new ReplayFilter(4);
  assert(filter.firstSight(handle, encodeUint(1, 6)));
  assert(!filter.firstSight(handle, encodeUint(1, 6)));
});

Deno.test("another peer's request with the same nonce is no replay", () => {
  const filter = new ReplayFilter(4);
  assert(filter.firstSight(handle, encodeUint(1, 6)));
  assert(filter.firstSight(new Uint8Array(24).fill(1), encodeUint(1, 6)));
});

Deno.test("a replay is recognised through limit − 1 others, and not promised after limit", () => {
  const filter = new ReplayFilter(4);
  for (let i = 0; i < 4; i++) assert(filter.firstSight(handle, encodeUint(i, 6)));
  assert(!filter.firstSight(handle, encodeUint(0, 6)));
  assert(filter.firstSight(handle, encodeUint(4, 6)));
  assert(filter.firstSight(handle, encodeUint(0, 6)));
  assertEquals(filter.size, 4);
});
