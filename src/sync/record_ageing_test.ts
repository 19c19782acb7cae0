import { assert, assertEquals } from "@std/assert";
import { days, type Instant, instant, later, type WallTime, wallTime } from "../base/instant.ts";
import { fakeAuthor, fakeRecord } from "../../tests/fixtures/fake_records.ts";
import { HeldRecords } from "./held_records.ts";
import { expiryCheckInterval, recordGrace, recordLifetime } from "./limits.ts";
import { RecordAgeing } from "./record_ageing.ts";
import type { VerifiedRecord } from "./verify_record.ts";

const builtAt = wallTime(1_700_000_000_000);
const start = instant(1_000);
const wall = wallTime(builtAt + days(30));

function dayLater(time: WallTime, count: number): WallTime {
  return wallTime(time + days(count));
}

class World {
  readonly held = new HeldRecords({ key: [1, 2] });
  readonly hidden = new Set<string>();
  readonly ageing = new RecordAgeing(this.held, (author) => this.hidden.has(author), builtAt);

  hold(author: number, signedAt: WallTime, seenAt?: Instant): VerifiedRecord {
    const record = fakeRecord({ author, signedAt });
    this.held.hold(record, seenAt);
    return record;
  }

  /** What a look after so many days does, kind by kind. */
  look(day: number, calendar = dayLater(wall, day)): string[] {
    const effects = this.ageing.look(later(start, days(day)), calendar);
    return effects.map(({ kind }) => kind);
  }
}

const life = recordLifetime / days(1);
const grace = recordGrace / days(1);

Deno.test("a record leaves when its life is over and is to be deleted a day later, as long as it stays", () => {
  const world = new World();
  world.hold(1, wall);
  assertEquals(world.look(life - 1), []);
  assertEquals([world.look(life), world.held.tree.size], [["left"], 0]);
  assertEquals(world.look(life), []);
  assertEquals(world.look(life + grace), ["deleted"]);
  // Deleting is the caller's.
  assertEquals(world.look(life + grace), ["deleted"]);
});

Deno.test("one that claims to be signed later than it was seen ages from when it was seen", () => {
  const world = new World();
  const record = world.hold(1, dayLater(wall, 300), start);
  assert(world.ageing.isAhead(record, start, start, wall));
  assertEquals([world.look(life - 1), world.look(life)], [[], ["left"]]);
  const little = fakeRecord({ author: 2, signedAt: wall + expiryCheckInterval });
  assert(!world.ageing.isAhead(little, start, start, wall));
});

Deno.test("what left by a wrong calendar comes back by the right one, and a hidden one is only noted", () => {
  const world = new World();
  world.hold(1, wall);
  const hidden = world.hold(2, wall);
  assertEquals(world.look(1, dayLater(wall, life)), ["left", "left"]);
  world.hidden.add(fakeAuthor(2));
  assertEquals(world.look(2), ["returned", "returned"]);
  assertEquals([world.held.tree.size, world.held.leftAt(hidden.key)], [1, undefined]);
});

Deno.test("while ageing is paused everything is back, and nothing leaves", () => {
  const world = new World();
  world.hold(1, wall);
  assertEquals(world.look(life), ["left"]);
  world.ageing.isPaused = true;
  assertEquals([world.look(life + grace), world.held.tree.size], [["returned"], 1]);
  assertEquals(world.look(10 * life), []);
});

Deno.test("a first-seen time before the build or after now counts as now", () => {
  const { ageing } = new World();
  for (const wrong of [wallTime(0), wallTime(wall + 1)]) {
    assertEquals(ageing.seenAt(wrong, start, wall), start);
  }
  assertEquals(ageing.seenAt(dayLater(wall, -2), start, wall), later(start, days(-2)));
});

Deno.test("a calendar that was ahead when the log was read, and is set right, takes that time back", () => {
  const { ageing } = new World();
  const ahead = dayLater(wall, 100);
  ageing.noteRestored(start, ahead);
  const seenAt = ageing.seenAt(wall, start, ahead);
  assertEquals(ageing.wallAt(seenAt, start, ahead), wall);
  assertEquals(ageing.wallAt(seenAt, start, wall), wall);
  // What was seen by this process was never dated.
  const since = later(start, days(1));
  assertEquals(ageing.wallAt(since, later(since, days(1)), wall), dayLater(wall, -1));
});
