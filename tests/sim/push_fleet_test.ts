import { assert, assertEquals } from "@std/assert";
import { PushFleet } from "./push_fleet.ts";

Deno.test("a change costs at most 3.5 KB of each node and is known in a second, however many there are", () => {
  for (const [nodes, degree] of [[30, 10], [300, 12], [1_000, 13]] as const) {
    for (const size of [300, 420]) {
      const fleet = new PushFleet({ nodes, degree, size, loss: 0, delayMs: 5, seed: nodes });
      for (let i = 0; i < 2; i++) {
        const report = fleet.change();
        const what = `${nodes} nodes, ${size} B: ${JSON.stringify(report)}`;
        assertEquals(report.missed, 0, what);
        assert(report.lastMs < 1_000, what);
        assert(report.bytesPerNode > 1_500 && report.bytesPerNode <= 3_500, what);
      }
    }
  }
});

Deno.test("where a fifth is lost nearly all hear of a change before a digest tells them", () => {
  const fleet = new PushFleet({
    nodes: 1_000,
    degree: 13,
    size: 420,
    loss: 0.2,
    delayMs: 5,
    seed: 3,
  });
  for (let i = 0; i < 3; i++) {
    const report = fleet.change();
    assert(report.missed <= 10, JSON.stringify(report));
    assert(report.lastMs < 3_000, JSON.stringify(report));
  }
});
