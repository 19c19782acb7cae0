import { assertEquals } from "@std/assert";
import { type ListedLinks, reachableFrom } from "./reachability.ts";
import { type NodeId, nodeIdFromBytes } from "../wire/node_id.ts";

function id(n: number): NodeId {
  const made = nodeIdFromBytes(new Uint8Array(32).fill(n));
  if (made === undefined) throw new Error("no id");
  return made;
}

const [a, b, c, d] = [id(1), id(2), id(3), id(4)];
const lists = (...ids: NodeId[]): ListedLinks => ({ neighbours: ids });
const identity = (node: NodeId) => node as string;

Deno.test("a path counts only over links that both ends list", () => {
  const listed = new Map([
    [a, lists(b)],
    [b, lists(a, c)],
    [c, lists(b)],
    [d, lists(c, b)],
  ]);
  const paths = reachableFrom(a, [b], listed, identity);
  assertEquals(paths.get(b), { hops: 1, via: b });
  assertEquals(paths.get(c), { hops: 2, via: b });
  assertEquals(paths.has(d), false);
});

Deno.test("an invented link between strangers leads nowhere", () => {
  const listed = new Map([[a, lists()], [c, lists(d)], [d, lists(c)]]);
  assertEquals(reachableFrom(a, [], listed, identity).size, 0);
});
