import { assert, assertEquals } from "@std/assert";
import { fakeAuthor } from "../../tests/fixtures/fake_records.ts";
import type { NodeId } from "../wire/node_id.ts";
import { evictionSearchMax } from "./limits.ts";
import { Newcomers } from "./newcomers.ts";

const ids = Array.from({ length: 2 * evictionSearchMax }, (_, i) => fakeAuthor(i));

/** Newcomers of whom all are there that `held` names. */
function newcomers(max = 1_000) {
  const held = new Set<NodeId>();
  const order = new Newcomers(max, (id) => held.has(id));
  const come = (id: NodeId) => {
    held.add(id);
    order.add(id);
  };
  return { held, order, come };
}

Deno.test("who went and came again was heard of when he came again", () => {
  const { held, order, come } = newcomers();
  const [a, b] = ids;
  assert(a !== undefined && b !== undefined);
  come(a);
  come(b);
  held.delete(a);
  assertEquals(order.ids(), [b]);
  come(a);
  assertEquals(order.ids(), [b, a]);
  assertEquals(order.takeLastThat(() => true), a);
});

Deno.test("who may go is looked for among the last few hundred only", () => {
  const { order, come } = newcomers();
  for (const id of ids) come(id);
  let asked = 0;
  const [first] = ids;
  const taken = order.takeLastThat((id) => {
    asked += 1;
    return id === first;
  });
  assertEquals([taken, asked], [undefined, evictionSearchMax]);
});

Deno.test("names of those who are gone are swept out before they are many", () => {
  const { held, order } = newcomers(10);
  let looks = 0;
  const counted = new Newcomers(10, (id) => {
    looks += 1;
    return held.has(id);
  });
  for (let round = 0; round < 20; round++) for (const id of ids) counted.add(id);
  assertEquals([order.ids(), counted.ids()], [[], []]);
  looks = 0;
  counted.ids();
  assert(looks <= 20 + evictionSearchMax, `${looks} names kept`);
});
