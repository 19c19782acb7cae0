import { assert } from "@std/assert";
import {
  answerOverhead,
  datagramBytesMax,
  requestMessageMax,
  requestOverhead,
  whoAreYouLength,
} from "../wire/datagram.ts";
import { nextGrantLength } from "../wire/grant.ts";
import { answerMessageMax, recordBytesMax } from "../wire/limits.ts";
import {
  answerAgeMax,
  epochLength,
  handleCacheMax,
  pendingRepliesMax,
  reauthenticateInterval,
  replayFilterMax,
  timeWindow,
} from "./limits.ts";
import { cookieNeededNotice, encodeTimeNotice } from "./notice.ts";

Deno.test("what answers an unproven address is shorter than what it answers", () => {
  assert(whoAreYouLength < requestOverhead);
  assert(
    answerOverhead + encodeTimeNotice(Number.MAX_SAFE_INTEGER).length <= requestOverhead,
  );
  assert(answerOverhead + cookieNeededNotice.length <= requestOverhead);
});

Deno.test("every message fits its datagram, a record in a request and a next grant included", () => {
  assert(answerOverhead + nextGrantLength + answerMessageMax <= datagramBytesMax);
  assert(recordBytesMax < requestMessageMax);
});

Deno.test("an answer that carries the time cannot move a clock out of the window", () => {
  assert(answerAgeMax <= timeWindow);
});

Deno.test("an epoch outlives every window, and the filter every second of one", () => {
  assert(epochLength > 2 * timeWindow);
  assert(replayFilterMax / (2 * timeWindow / 1_000) > 100);
  assert(reauthenticateInterval < timeWindow);
  assert(pendingRepliesMax <= handleCacheMax);
});
