import { assert, assertEquals } from "@std/assert";
import { fakeAuthor, fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { plainInfo } from "../../tests/sim/record_author.ts";
import { instant, wallTime } from "../base/instant.ts";
import { RecordStore } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import type { NodeId } from "../wire/node_id.ts";
import { FleetView } from "./fleet_view.ts";
import { listingRun, listingSlice } from "./limits.ts";
import { entriesInSlices } from "./node_listing.ts";

const wall = wallTime(1_700_000_000_000);

/** Counts how often somebody is looked up. */
class CountedMap extends Map<NodeId, number> {
  looks = 0;

  override get(id: NodeId): number | undefined {
    this.looks++;
    return super.get(id);
  }
}

/** A fleet whose nodes are named by their numbers, and how often records were taken apart. */
function fleet(count: number, nameOf: (number: number) => string) {
  const counted = { reads: 0 };
  const store = new RecordStore({ selfId: fakeAuthor(1) });
  const say = (author: number, name: string, serial = 1) => {
    const record = Object.defineProperty(fakeRecord({ author, serial }), "body", {
      get: () => {
        counted.reads++;
        return encodeInfo(plainInfo(name));
      },
    });
    assertEquals(store.admit(record, instant(0), wall).kind, "stored");
  };
  for (let author = 1; author <= count; author++) say(author, nameOf(author));
  const forgotten = new CountedMap();
  const linked = new Set<NodeId>();
  const view = () =>
    new FleetView({
      selfId: fakeAuthor(1),
      store,
      linked: () => linked,
      zoneOf: () => undefined,
      forgotten,
    });
  return { counted, store, say, forgotten, linked, view };
}

Deno.test("all known nodes are listed by name, then id, and a step takes no more apart than a slice", () => {
  const count = 2 * listingRun + listingSlice / 2;
  // Names in another order than ids, some of them shared.
  const { counted, view, linked } = fleet(count, (number) => `n${number * 7_919 % 1_500}`);
  linked.add(fakeAuthor(2));
  const now = view();
  assertEquals(now.known, count);
  const listed = [];
  let before = counted.reads;
  for (const slice of entriesInSlices(now)) {
    assert(counted.reads - before <= listingSlice, `${counted.reads - before} in one step`);
    before = counted.reads;
    assert(slice.length <= listingSlice);
    listed.push(...slice);
  }
  const names = listed.map(({ id, name }) => `${name} ${id}`);
  const byNameThenId = Array.from({ length: count }, (_, i) => i + 1)
    .map((number) => ({ name: `n${number * 7_919 % 1_500}`, id: fakeAuthor(number) }))
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1)
    .map(({ id, name }) => `${name} ${id}`);
  assertEquals(names, byNameThenId);
  assertEquals(
    listed.filter(({ state }) => state !== "unreachable").map(({ id, state }) => [id, state])
      .sort(),
    [[fakeAuthor(1), "self"], [fakeAuthor(2), "linked"]].sort(),
  );
});

Deno.test("what changes while nodes are listed is not in the list", () => {
  const count = 3 * listingSlice;
  const { say, store, view, forgotten, linked } = fleet(count, (number) => `n${number}`);
  const now = view();
  const before = [...entriesInSlices(now)].flat();
  const during = [];
  let isChanged = false;
  for (const slice of entriesInSlices(now)) {
    during.push(...slice);
    if (slice.length === 0 || isChanged) continue;
    isChanged = true;
    for (const { id } of before) {
      if (id !== fakeAuthor(1) && id !== fakeAuthor(2)) store.forget(id, wall);
    }
    say(2, "another name", 2);
    say(count + 1, "newcomer");
    forgotten.set(fakeAuthor(2), 9);
    linked.add(fakeAuthor(2));
  }
  assert(isChanged);
  assertEquals(during, before);
  assertEquals([...entriesInSlices(view())].flat().map(({ name }) => name).sort(), [
    "another name",
    "n1",
    "newcomer",
  ]);
});

Deno.test("a name that all claim costs no more for that", () => {
  const count = 1_000;
  const { view, forgotten } = fleet(count, () => "everybody");
  const listed = [...entriesInSlices(view())].flat();
  assertEquals(listed.length, count);
  assert(listed.every(({ nameState }) => nameState === "conflict"));
  assert(forgotten.looks < 10 * count, `${forgotten.looks} looks`);
});
