import { assert, assertEquals } from "@std/assert";
import { instant, later, milliseconds } from "../base/instant.ts";
import { authenticationWait, tryInterval } from "./limits.ts";
import { SuspicionRound } from "./suspicion_round.ts";

const begin = instant(1_000);
const patience = milliseconds(250);
const usual = { slowness: 1, beyond: milliseconds(0) };

/** Makes all tries, each when it is due and unanswered; says when each was made. */
function tryAll(round: SuspicionRound): number[] {
  const made: number[] = [];
  for (let now = begin; !round.triesOver; now = round.nextTimeout() ?? now) {
    if (round.handleTimeout(1, patience, now)) made.push(now - begin);
  }
  return made;
}

Deno.test("what a node allows for running late is spread over its tries", () => {
  const beyond = milliseconds(3_000);
  const tries = { most: 6, alone: 0 };
  const late = tryAll(new SuspicionRound(tries, 0, { slowness: 1, beyond }, begin));
  assertEquals(late, Array.from({ length: 6 }, (_, i) => i * (tryInterval + 500)));
  const hurried = tryAll(new SuspicionRound(tries, 0, usual, begin));
  assertEquals(hurried, Array.from({ length: 6 }, (_, i) => i * tryInterval));
});

Deno.test("the last try has as long as an answer may take on this link", () => {
  const round = new SuspicionRound({ most: 1, alone: 0 }, 0, usual, begin);
  assert(round.handleTimeout(0, milliseconds(900), begin));
  assertEquals(round.nextTimeout(), later(begin, milliseconds(900)));
});

Deno.test("who is refused and answers through others is not gone", () => {
  const round = new SuspicionRound({ most: 6, alone: 0 }, 2, usual, begin);
  assert(round.beginAuthentication(patience, begin));
  round.handleAuthentication("refused where proven");
  assertEquals(round.verdict(), "refused");
  round.handleRelayed();
  assertEquals(round.verdict(), undefined, "the tries go on");
  tryAll(round);
  assertEquals(round.verdict(), "others only");
});

Deno.test("an exchange has longer on a slow link, and while the node doubts itself", () => {
  const deadline = (slowness: number, answer: number) => {
    const round = new SuspicionRound(
      { most: 1, alone: 0 },
      0,
      { ...usual, slowness },
      begin,
    );
    tryAll(round);
    round.beginAuthentication(milliseconds(answer), begin);
    return round.nextTimeout();
  };
  assertEquals(deadline(1, 250), later(begin, milliseconds(authenticationWait + 500)));
  assertEquals(deadline(1, 1_900), later(begin, milliseconds(authenticationWait + 3_800)));
  assertEquals(deadline(3, 250), later(begin, milliseconds(3 * authenticationWait + 500)));
});

Deno.test("a gap in which this node did not run takes nothing from the exchange", () => {
  const round = new SuspicionRound({ most: 1, alone: 0 }, 0, usual, begin);
  round.beginAuthentication(patience, begin);
  tryAll(round);
  const gap = milliseconds(700);
  const deadline = round.nextTimeout();
  assert(deadline !== undefined);
  round.forgive(0, gap);
  assertEquals(round.nextTimeout(), later(deadline, gap));
});
