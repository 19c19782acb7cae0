import { assert, assertEquals } from "@std/assert";
import { seconds } from "../../src/base/instant.ts";
import { linksMax } from "../../src/node/limits.ts";
import { type Machine, World } from "../sim/world.ts";

Deno.test("forty nodes that start together end within the link limits, all agreeing", async () => {
  using world = new World(40);
  const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
  const t0 = performance.now();
  const machines = await world.nodes(...names);
  const t = performance.now();
  for (let s = 1; s <= 90; s++) {
    await world.run(seconds(1));
    if (s < 10 || s % 10 === 0) {
      console.log(
        s,
        (performance.now() - t).toFixed(0),
        world.time.happened,
        world.gate.operations,
        machines.map((m) => m.node.peers.linkCount).join(" "),
        machines.map((m) => m.node.fleet.view.reachable).join(" "),
        new Set(machines.map((m) => m.recordDigest())).size,
      );
    }
  }
  console.log(t - t0, performance.now() - t);
  for (const m of machines) {
    for (const o of machines) {
      if (m.isLinked(o) !== o.isLinked(m)) console.log("half link", m.name, o.name);
    }
  }
  console.log(machines[0]?.node.counters.snapshot());
  console.log(machines[0]?.warningCodes());
  await world.end();
});
