import { assert } from "@std/assert";
import { requestMessageMax } from "../wire/datagram.ts";
import { compareRangesMax, linksMax, splitPartsMax } from "../wire/limits.ts";
import {
  authenticationWait,
  coalesceDelay,
  fetchKeysPerRequest,
  listedRecordsMax,
  missAfterMax,
  missAfterMin,
  missAfterUnmeasured,
  monitoredLinksMax,
  outstandingProbesMax,
  partsPerSplitMax,
  probeInterval,
  probeTriesMax,
  probeTriesMin,
  pullRetryDelay,
  reconcileAgain,
  reconciledKeysMax,
  reconcilePause,
  refusalMissesMin,
  repeatAfterMin,
  restartingLinkLifetime,
  transferredKeysMax,
  tryInterval,
  waitingRangesMax,
  watchersPerNode,
} from "./limits.ts";

Deno.test("the limits of comparing fit each other and the messages", () => {
  // A split adds two cuts between self and administrator kinds at most.
  assert(partsPerSplitMax + 2 <= splitPartsMax);
  assert(listedRecordsMax >= 1);
  assert(waitingRangesMax > compareRangesMax * splitPartsMax / 2);
  assert(transferredKeysMax < reconciledKeysMax);
  assert(reconcileAgain < reconcilePause);
  assert(fetchKeysPerRequest * (2 + 65) + 8 <= requestMessageMax);
});

Deno.test("a retry comes before the next batch, and a round ends before the next probe", () => {
  assert(pullRetryDelay < coalesceDelay);
  const missAfter = repeatAfterMin + missAfterMin;
  assert(tryInterval < missAfter && missAfter < missAfterMax && 2 * missAfterMax < probeInterval);
  assert(probeTriesMin < probeTriesMax && probeTriesMax * tryInterval < probeInterval);
  assert(missAfter + authenticationWait + 2 * missAfterMin < probeInterval / watchersPerNode);
  assert(2 * missAfterUnmeasured > missAfter);
  assert(refusalMissesMin <= 2, "so many are unanswered when a link is suspected");
  assert(outstandingProbesMax > probeTriesMax + 1);
  assert(restartingLinkLifetime > 2 * probeInterval);
  assert(monitoredLinksMax > linksMax);
});
