import { assert, assertEquals } from "@std/assert";
import { DecodeError } from "../base/decode.ts";
import { decodeM1, decodeM2, encodeM1, type ExchangeM2Head } from "../wire/exchange.ts";
import { filled } from "../../tests/fixtures/bytes.ts";
import {
  accepted,
  ada,
  assertRefused,
  bea,
  forgedM2,
  towards,
  upToM2,
} from "../../tests/fixtures/exchange_pair.ts";
import { beginExchange, confirmExchange } from "./exchange_initiator.ts";
import { answerExchange } from "./exchange_responder.ts";

async function forgedAnswer(change: Partial<ExchangeM2Head>) {
  const { begun, answered } = await upToM2();
  const honest = decodeM2(answered.m2);
  assert(!(honest instanceof DecodeError));
  const m2 = await forgedM2(await towards(bea, ada, 1), begun.m1, { ...honest, ...change });
  return await confirmExchange(begun.state, m2, ada.offer);
}

Deno.test("a choice that was not on offer is refused, even signed", async () => {
  accepted(await forgedAnswer({}));
  for (const version of [0, 2, 255]) {
    assertRefused(await forgedAnswer({ version }), "version not offered");
  }
  for (const binding of [0, 2, 255]) {
    assertRefused(await forgedAnswer({ binding }), "binding not offered");
  }
});

Deno.test("unknown versions and bindings beside a known one are passed over", async () => {
  const { m1 } = await beginExchange(await towards(ada, bea, 1));
  const start = decodeM1(m1);
  assert(!(start instanceof DecodeError));
  const answer = async (versions: readonly number[], bindings: readonly number[]) =>
    await answerExchange(
      await towards(bea, ada, 1),
      encodeM1({ ...start, versions, bindings }),
    );
  const { m2 } = accepted(await answer([0, 1, 2, 99], [0, 1, 7]));
  const chosen = decodeM2(m2);
  assert(!(chosen instanceof DecodeError));
  assertEquals([chosen.version, chosen.binding], [1, 1]);
  assertRefused(await answer([0, 2], [1]), "no common version");
  assertRefused(await answer([1], [0, 2]), "no common binding");
});

Deno.test("an offer changed on the way, to more or to less, is noticed", async () => {
  const begun = await beginExchange(await towards(ada, bea, 1));
  const start = decodeM1(begun.m1);
  assert(!(start instanceof DecodeError));
  const changed = encodeM1({ ...start, versions: [1, 2] });
  const answered = accepted(await answerExchange(await towards(bea, ada, 1), changed));
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "signature wrong");
});

// Unfit shares.

Deno.test("low-order shares and malformed keys are refused, even signed", async () => {
  const lowOrder = filled(0, 32);
  const { m1 } = await beginExchange(await towards(ada, bea, 1));
  const start = decodeM1(m1);
  assert(!(start instanceof DecodeError));
  const beas = await towards(bea, ada, 1);
  const malformed = filled(0xff, 1_184);
  for (
    const wrong of [
      { ...start, share: lowOrder },
      { ...start, encapsulationKey: malformed },
    ]
  ) assertRefused(await answerExchange(beas, encodeM1(wrong)), "share unfit");
  assertRefused(await forgedAnswer({ share: lowOrder }), "share unfit");
});
