import { assert, assertEquals } from "@std/assert";
import { sha256 } from "../crypto/mod.ts";
import { encodeUint } from "../base/bytes.ts";
import { type NodeId, nodeIdFromBytes } from "../wire/node_id.ts";
import { activeLinks, plainLinksMax } from "./limits.ts";
import { counted } from "../../tests/fixtures/bytes.ts";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { drawLots, linkEnd, linkTurn } from "./link_turn.ts";

async function idNumber(number: number): Promise<NodeId> {
  const id = nodeIdFromBytes(await sha256(encodeUint(number, 4)));
  assert(id !== undefined);
  return id;
}

async function hashNumber(number: number) {
  return (await sha256(encodeUint(number + 1_000_000, 4))).slice(0, 16);
}

Deno.test("both ends of a link compute the same: quiet for both, or one first and one second", async () => {
  for (let i = 0; i < 300; i++) {
    const [a, b] = [await idNumber(2 * i), await idNumber(2 * i + 1)];
    const hash = await hashNumber(i);
    const turns = [linkTurn(linkEnd(a, b), hash, 12), linkTurn(linkEnd(b, a), hash, 12)].sort();
    assert(turns.join() === "quiet,quiet" || turns.join() === "first,second", turns.join());
  }
});

Deno.test("of twelve links nine carry a change, half of them at the own first turn", async () => {
  const self = await idNumber(0);
  const counts = { first: 0, second: 0, quiet: 0 };
  const changes = 200;
  for (let link = 1; link <= 12; link++) {
    const end = linkEnd(self, await idNumber(link));
    for (let i = 0; i < changes; i++) counts[linkTurn(end, await hashNumber(i), 12)]++;
  }
  const near = (count: number, share: number) => Math.abs(count / (12 * changes) - share) < 0.05;
  assert(near(counts.first, 3 / 8), JSON.stringify(counts));
  assert(near(counts.second, 3 / 8), JSON.stringify(counts));
  assert(near(counts.quiet, 1 / 4), JSON.stringify(counts));
});

Deno.test("up to nine links none is quiet, up to five none waits", async () => {
  const self = await idNumber(0);
  const seen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const end = linkEnd(self, await idNumber(i + 1));
    const hash = await hashNumber(i);
    assertEquals(linkTurn(end, hash, plainLinksMax), "first");
    seen.add(linkTurn(end, hash, activeLinks));
  }
  assertEquals([...seen].sort(), ["first", "second"]);
});

Deno.test("which links sit a change out differs from change to change", async () => {
  const self = await idNumber(0);
  const quiet = new Set<string>();
  for (let i = 0; i < 40; i++) {
    const hash = await hashNumber(i);
    const turns: string[] = [];
    for (let link = 1; link <= 12; link++) {
      turns.push(linkTurn(linkEnd(self, await idNumber(link)), hash, 12));
    }
    quiet.add(turns.join());
  }
  assertEquals(quiet.size, 40);
});

Deno.test("the lots are those of PROTOCOL", () => {
  const end = linkEnd(fakeNodeId(2), fakeNodeId(1));
  assertEquals(end, { seed: 0xa288e65, isLower: false });
  assertEquals(linkEnd(fakeNodeId(1), fakeNodeId(2)), { seed: 0xa288e65, isLower: true });
  assertEquals(drawLots(end, counted(0, 16)), { part: 0x460f6d41, order: 0x259b932a });
});
