import { assert, assertEquals } from "@std/assert";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { type Instant, instant, wallTime } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { RecordStore } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import { FleetWatch } from "./fleet_watch.ts";

/** A clock that stands still but for what the test spends. */
class SpentTime implements Clock {
  #now = 1_000;

  spend(ms: number): void {
    this.#now += ms;
  }

  monotonic(): Instant {
    return instant(this.#now);
  }

  wall() {
    return wallTime(1_700_000_000_000);
  }

  wait(): Promise<void> {
    return Promise.resolve();
  }
}

/** A store whose every look at all authors costs a second, as 100,000 nodes may on a slow machine. */
async function fleet() {
  const clock = new SpentTime();
  const self = await RecordAuthor.create(1);
  const store = new RecordStore({ selfId: self.id });
  let looks = 0;
  const counting = new Proxy(store, {
    get(target, name) {
      if (name === "authors") {
        looks++;
        clock.spend(1_000);
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const told: string[] = [];
  const watch = new FleetWatch(clock, {
    selfId: self.id,
    store: counting,
    linked: () => [],
    zoneOf: () => undefined,
    forgottenUpTo: () => undefined,
  }, {
    handleNodeNew: (node) => void told.push(node.info.name),
    handleNodeChanged: (node) => void told.push(`${node.info.name} changed`),
    handleNodeReachable: () => {},
    handleNodeUnreachable: () => {},
    handleConflicts: () => {},
  });
  const admit = async (number: number, name: string, serial: number) => {
    const author = await RecordAuthor.create(number);
    store.admit(
      await author.record({ serial, body: encodeInfo(plainInfo(name)) }),
      clock.monotonic(),
      clock.wall(),
    );
    watch.handleChange();
  };
  return { clock, watch, told, admit, looks: () => looks };
}

Deno.test("however fast changes come, looking at the fleet takes a tenth of the time at most", async () => {
  const { clock, watch, admit, looks } = await fleet();
  const begun = clock.monotonic();
  for (let i = 0; i < 200; i++) {
    await admit(2, "flood", i + 1);
    watch.view; // As each beacon, each eviction and each question does.
    const due = watch.nextTimeout();
    if (due !== undefined && due <= clock.monotonic()) watch.handleTimeout(clock.monotonic());
    clock.spend(500);
  }
  const share = (looks() - 1) * 1_000 / (clock.monotonic() - begun);
  assert(share <= 0.11, `looked ${looks()} times`);
  assert(looks() > 5, "it looks all the same");
});

Deno.test("a change that fell into the rest is told after it, once", async () => {
  const { clock, watch, told, admit } = await fleet();
  await admit(2, "first", 1);
  clock.spend(20);
  watch.handleTimeout(clock.monotonic());
  await admit(3, "second", 1);
  clock.spend(20);
  watch.handleTimeout(clock.monotonic());
  assertEquals(told, ["first"]);
  const due = watch.nextTimeout();
  assert(due !== undefined);
  clock.spend(due - clock.monotonic());
  watch.handleTimeout(clock.monotonic());
  assertEquals(told, ["first", "second"]);
  assertEquals(watch.nextTimeout(), undefined);
  assertEquals(watch.view.known, 2);
});

Deno.test("a new version of a record is read, though the old one was read before", async () => {
  const { clock, watch, admit } = await fleet();
  await admit(2, "before", 1);
  assertEquals([...watch.view.nodes()].map(({ info }) => info.name), ["before"]);
  await admit(2, "after", 2);
  clock.spend(60_000);
  assertEquals([...watch.view.nodes()].map(({ info }) => info.name), ["after"]);
});
