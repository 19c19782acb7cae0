import { assert, assertEquals } from "@std/assert";
import { seconds } from "../base/instant.ts";
import { degreeFor } from "./degree.ts";
import * as limits from "./limits.ts";

Deno.test("the limits of discovery fit together", () => {
  assertEquals(limits.trickleMin * 2 ** limits.trickleDoublings, limits.trickleMax);
  assert(limits.heardFor > 1.5 * limits.trickleMax, "a silent neighbour must stay heard");
  assert(limits.islandMemory >= 2 * limits.trickleMax);
  assert(limits.resetGapMin < limits.resetGapMax);
  assert(limits.heldDialsReserve + limits.oneWayDialsReserve < limits.connectBackDialsMax);
  assert(limits.oneWayRetryMax + 10 * limits.roomRetry < seconds(15), "the promised 15 s");
  assert(limits.staggerMax + limits.connectTimeout < limits.oneWayPatience);
  assert(limits.oneWayPatience < seconds(5), "the promised 5 s");
  assert(limits.heardAddressesMax * limits.connectTimeout < limits.oneWayHeardWithin);
  assert(limits.heardBackoff + limits.fillPause < limits.oneWayHeardWithin);
  assert(limits.heardBackoff < limits.declinedBackoff && limits.heardBackoff < limits.backoffMax);
  // All one-way peers get their try in time, though each may take its whole timeout.
  assert(
    limits.oneWayPeersMax * limits.connectTimeout <=
      limits.oneWayDialsReserve * limits.oneWayRetryMax,
  );
  assert(limits.roundAddressesMax >= limits.heardAddressesMax + 1);
  assert(limits.dialOutcomeMax > limits.connectTimeout);
  assert(limits.strangersPerSourceMax * 8 <= limits.strangersMax);
  assert(limits.burstOffsets[1] + 2 * limits.staggerMax < 300, "a lost beacon costs no promise");
});

Deno.test("the degree grows by one for every fourfold fleet", () => {
  assertEquals([0, 1, 3, 50, 100, 500, 10_000, 50_000].map(degreeFor), [
    8,
    8,
    9,
    11,
    11,
    12,
    15,
    16,
  ]);
  assert(degreeFor(100_000) < limits.volunteerLinksMax);
});
