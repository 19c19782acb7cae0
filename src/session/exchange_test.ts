import { assert, assertEquals } from "@std/assert";
import { equalBytes, toHex } from "../base/bytes.ts";
import {
  m1BytesLength,
  m1BytesMax,
  m2BytesLength,
  m2BytesMax,
  m3BytesMax,
  m4BytesMax,
  type SealedOffer,
} from "../wire/exchange.ts";
import { filled } from "../../tests/fixtures/bytes.ts";
import {
  accepted,
  ada,
  assertRefused,
  bea,
  giving,
  never,
  towards,
  upToM2,
  upToM3,
  upToM4,
} from "../../tests/fixtures/exchange_pair.ts";
import { ExchangeRefusal } from "./exchange.ts";
import { beginExchange, confirmExchange, finishExchange } from "./exchange_initiator.ts";
import { acceptConfirm, answerExchange } from "./exchange_responder.ts";
import { exchangeBodyBytesMax } from "./limits.ts";

Deno.test("both ends finish with the same hash and each other's offer", async () => {
  const { begun, answered, confirmed, finished } = await upToM4();
  const adas = accepted(await finishExchange(confirmed.state, finished.m4));
  const beas = finished.result;
  assertEquals(begun.m1.length, m1BytesLength);
  assertEquals(answered.m2.length, m2BytesLength);
  assertEquals(adas.hash, beas.hash);
  assertEquals(adas.hash.length, 32);
  assertEquals([adas.role, beas.role], ["initiator", "responder"]);
  assertEquals([adas.version, beas.version], [1, 1]);
  assertEquals([adas.peer, beas.peer], [
    bea.context.self.identity.id,
    ada.context.self.identity.id,
  ]);
  assertEquals([adas.publicKey, beas.publicKey], [bea.key.publicKey, ada.key.publicKey]);
  assertEquals([adas.theirs, beas.theirs], [bea.offer, ada.offer]);
  assertEquals([adas.proof, beas.proof], ["not judged", "not judged"]);
});

Deno.test("two exchanges of one pair on one connection share nothing", async () => {
  const [one, other] = [await upToM4(), await upToM4()];
  assert(!equalBytes(one.finished.result.hash, other.finished.result.hash));
  assert(!equalBytes(one.begun.m1, other.begun.m1));
});

Deno.test("crossing exchanges both finish", async () => {
  const [one, other] = await Promise.all([
    upToM4(),
    (async () => {
      const begun = await beginExchange(await towards(bea, ada, 2));
      const answered = accepted(await answerExchange(await towards(ada, bea, 2), begun.m1));
      const confirmed = accepted(await confirmExchange(begun.state, answered.m2, bea.offer));
      return accepted(await acceptConfirm(answered.state, confirmed.m3, giving(ada.offer)));
    })(),
  ]);
  assertEquals(one.finished.result.peer, ada.context.self.identity.id);
  assertEquals(other.result.peer, bea.context.self.identity.id);
});

Deno.test("nothing of an offer can be read in the messages", async () => {
  const { confirmed, finished } = await upToM4();
  assert(!toHex(confirmed.m3).includes(toHex(filled(1, 16))));
  assert(!toHex(finished.m4).includes(toHex(filled(2, 16))));
});

Deno.test("the responder may look at the offer and withhold its own", async () => {
  const { answered, confirmed } = await upToM3();
  const seen: SealedOffer[] = [];
  const refusal = await acceptConfirm(answered.state, confirmed.m3, (theirs) => {
    seen.push(theirs);
    return Promise.resolve(undefined);
  });
  assertRefused(refusal, "offer withheld");
  assertEquals(seen, [ada.offer]);
});

// A state is used once.

Deno.test("a second message for the same step is refused, whatever the first one was", async () => {
  const { begun, answered, confirmed, finished } = await upToM4();
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "state used");
  assertRefused(await acceptConfirm(answered.state, confirmed.m3, never), "state used");
  accepted(await finishExchange(confirmed.state, finished.m4));
  assertRefused(await finishExchange(confirmed.state, finished.m4), "state used");

  const fresh = await upToM2();
  assertRefused(
    await confirmExchange(fresh.begun.state, filled(0, 3), ada.offer),
    "m2 malformed",
  );
  assertRefused(
    await confirmExchange(fresh.begun.state, fresh.answered.m2, ada.offer),
    "state used",
  );
});

Deno.test("of two messages at the same time one is refused", async () => {
  const { begun, answered } = await upToM2();
  const results = await Promise.all([
    confirmExchange(begun.state, answered.m2, ada.offer),
    confirmExchange(begun.state, answered.m2, ada.offer),
  ]);
  assertEquals(results.map((result) => result instanceof ExchangeRefusal), [false, true]);
});

Deno.test("a message in another's place is malformed", async () => {
  const { m1, m2, m3, m4 } = await (async () => {
    const { begun, answered, confirmed, finished } = await upToM4();
    return { m1: begun.m1, m2: answered.m2, m3: confirmed.m3, m4: finished.m4 };
  })();
  for (const wrong of [m2, m3, m4]) {
    assertRefused(await answerExchange(await towards(bea, ada, 1), wrong), "m1 malformed");
  }
  for (const wrong of [m1, m3, m4]) {
    const { begun } = await upToM2();
    assertRefused(await confirmExchange(begun.state, wrong, ada.offer), "m2 malformed");
  }
  for (const wrong of [m1, m2, m4]) {
    const { answered } = await upToM3();
    assertRefused(await acceptConfirm(answered.state, wrong, never), "m3 malformed");
  }
  for (const wrong of [m1, m2, m3]) {
    const { confirmed } = await upToM4();
    assertRefused(await finishExchange(confirmed.state, wrong), "m4 malformed");
  }
});

Deno.test("every message fits the body that carries it", () => {
  assert(m1BytesLength <= m1BytesMax && m2BytesLength <= m2BytesMax);
  for (const max of [m1BytesMax, m2BytesMax, m3BytesMax, m4BytesMax]) {
    assert(max <= exchangeBodyBytesMax);
  }
});
