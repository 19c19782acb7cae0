import { assert, assertEquals } from "@std/assert";
import { instant, wallTime } from "../../src/base/instant.ts";
import { Prng } from "../../src/base/prng.ts";
import { RecordStore } from "../../src/sync/mod.ts";
import { fakeAuthor, fakeRecord } from "../fixtures/fake_records.ts";
import { SharedRecords } from "./shared_records.ts";

const now = instant(0);
const wall = wallTime(1_700_000_000_000);

Deno.test("stores of one world that hold the same are one tree, whatever came before", () => {
  const sharing = new SharedRecords();
  const prng = new Prng([3]);
  const records = Array.from({ length: 300 }, (_, i) => ({ author: i >> 1, kind: i % 2 }));
  const stores = Array.from(
    { length: 20 },
    () => new RecordStore({ selfId: fakeAuthor(0), sharing }),
  );
  for (const store of stores) {
    for (const { author, kind } of prng.shuffled(records)) {
      // Each store is given bytes of its own, as over a network.
      store.admit(fakeRecord({ author, kind, serial: 1, signedAt: wall }), now, wall);
    }
  }
  const [first] = stores;
  assert(first !== undefined);
  assertEquals(first.size, 300);
  for (const store of stores) {
    assert(store.tree.root === first.tree.root);
    assert(store.get(fakeRecord({ author: 7 }).key) === first.get(fakeRecord({ author: 7 }).key));
  }
  const news = fakeRecord({ author: 3, serial: 2, signedAt: wall });
  stores[1]?.admit(news, now, wall);
  assert(stores[1]?.tree.root !== first.tree.root);
  stores[2]?.admit(fakeRecord({ author: 3, serial: 2, signedAt: wall }), now, wall);
  assert(stores[1]?.tree.root === stores[2]?.tree.root);
  assertEquals(sharing.sizes.records, 301);
});

Deno.test("a store that adopts another's records holds the same, and goes its own way from there", () => {
  const sharing = new SharedRecords();
  const [one, two] = [0, 1].map((id) => new RecordStore({ selfId: fakeAuthor(id), sharing }));
  assert(one !== undefined && two !== undefined);
  for (const author of [1, 2, 3]) {
    one.admit(fakeRecord({ author, serial: 2, signedAt: wall }), now, wall);
  }
  two.admit(fakeRecord({ author: 9, serial: 1, signedAt: wall }), now, wall);
  const { version } = two;
  two.adopt(one, now);
  assert(two.tree.root === one.tree.root);
  assert(two.version !== version);
  assertEquals([...two.authors()], [...one.authors()]);
  assertEquals(two.authorCount, 3);
  two.admit(fakeRecord({ author: 4, serial: 1, signedAt: wall }), now, wall);
  assertEquals([one.authorCount, two.authorCount], [3, 4]);
  assert(two.nextTimeout() !== undefined);
});
