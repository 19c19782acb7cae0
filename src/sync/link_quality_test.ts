import { assert, assertEquals } from "@std/assert";
import { instant, milliseconds } from "../base/instant.ts";
import { probeTriesMax, probeTriesMin } from "./limits.ts";
import { LossEstimate, RoundTripEstimate, triesAloneFor, triesFor } from "./link_quality.ts";
import { OpenProbes } from "./open_probes.ts";

function lossOf(samples: number, isLost: (i: number) => boolean): LossEstimate {
  const loss = new LossEstimate();
  for (let i = 0; i < samples; i++) loss.sample(isLost(i));
  return loss;
}

Deno.test("a good while does not make a link that is usually lossy one that is not", () => {
  const loss = lossOf(640, (i) => i % 3 === 0);
  const tries = triesFor(loss);
  assert(tries > probeTriesMin + 4);
  for (let i = 0; i < 16; i++) loss.sample(false);
  assert(loss.recent < 0.15);
  assert(triesFor(loss) > probeTriesMin + 4, `${triesFor(loss)} tries`);
});

Deno.test("where hardly anything is lost an exchange begins beside the first try", () => {
  assertEquals(triesAloneFor(lossOf(320, (i) => i % 20 === 0)), 0);
  assert(triesAloneFor(lossOf(320, (i) => i % 5 === 0)) > 0);
});

Deno.test("what was counted as lost does not count as answered when it comes after all", () => {
  const probes = new OpenProbes();
  const sentAt = instant(1_000);
  const attempt = probes.begin(sentAt);
  assertEquals(probes.expire(milliseconds(500), instant(1_500)), 1);
  assertEquals(probes.take(attempt)?.settled, true);
  const forgiven = probes.begin(sentAt);
  assertEquals(probes.forgive(), 1);
  assertEquals(probes.take(forgiven)?.settled, true);
});

Deno.test("a lossy link without TCP gets enough tries", () => {
  const loss = new LossEstimate();
  for (let i = 0; i < 1_000; i++) loss.sample((i * 9) % 25 < 9);
  assert(triesFor(loss) >= 15 && triesFor(loss) <= 18, `${triesFor(loss)} tries at 36 %`);
  assertEquals(triesFor(new LossEstimate()), probeTriesMin);
  assertEquals([triesAloneFor(loss), triesAloneFor(new LossEstimate())], [3, 0]);
  const dead = new LossEstimate();
  for (let i = 0; i < 10_000; i++) dead.sample(true);
  assertEquals(triesFor(dead), probeTriesMax);
  assertEquals(triesAloneFor(dead), probeTriesMin - 1);
});

Deno.test("round trips are smoothed as RFC 6298 says", () => {
  const estimate = new RoundTripEstimate();
  assertEquals(estimate.patience(milliseconds(500), milliseconds(2_000)), milliseconds(500));
  estimate.sample(milliseconds(100));
  // Variation 50: 100 + 4 × 50.
  assertEquals(estimate.patience(milliseconds(1), milliseconds(2_000)), milliseconds(300));
  estimate.sample(milliseconds(180));
  // Variation ¾ × 50 + ¼ × 80 = 57.5, smoothed ⅞ × 100 + ⅛ × 180 = 110.
  assertEquals(estimate.smoothed, milliseconds(110));
  assertEquals(estimate.patience(milliseconds(1), milliseconds(2_000)), milliseconds(340));
});

Deno.test("an early sample that is half as long begins the estimate anew, a later one does not", () => {
  const estimate = new RoundTripEstimate();
  const patience = () => estimate.patience(milliseconds(1), milliseconds(2_000));
  estimate.sample(milliseconds(600));
  estimate.sample(milliseconds(10));
  assertEquals(patience(), milliseconds(30));
  for (let i = 0; i < 6; i++) estimate.sample(milliseconds(600));
  const settled = patience();
  estimate.sample(milliseconds(10));
  assert(patience() > settled / 2);
});
