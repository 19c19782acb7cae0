import { assertInstanceOf } from "@std/assert";
import { type Bytes, concatBytes, encodeUint } from "../base/bytes.ts";
import { m1BytesLength, m2BytesLength } from "../wire/exchange.ts";
import { flipped } from "../../tests/fixtures/bytes.ts";
import {
  ada,
  assertRefused,
  bea,
  never,
  towards,
  upToM2,
  upToM3,
  upToM4,
} from "../../tests/fixtures/exchange_pair.ts";
import { ExchangeRefusal } from "./exchange.ts";
import { beginExchange, confirmExchange, finishExchange } from "./exchange_initiator.ts";
import { acceptConfirm, answerExchange } from "./exchange_responder.ts";

/** Runs `check` for every byte of a message of that length, some at a time. */
async function forEachByte(length: number, check: (at: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < length; from += 32) {
    const count = Math.min(32, length - from);
    await Promise.all(Array.from({ length: count }, (_, index) => check(from + index)));
  }
}

Deno.test("no byte of m1 can be changed", async () => {
  const [adas, beas] = [await towards(ada, bea, 1), await towards(bea, ada, 1)];
  await forEachByte(m1BytesLength, async (at) => {
    const begun = await beginExchange(adas);
    const answered = await answerExchange(beas, flipped(begun.m1, at, 1 << (at % 8)));
    if (answered instanceof ExchangeRefusal) return;
    assertRefused(
      await confirmExchange(begun.state, answered.m2, ada.offer),
      "signature wrong",
    );
  });
});

Deno.test("no byte of m2 can be changed", async () => {
  await forEachByte(m2BytesLength, async (at) => {
    const { begun, answered } = await upToM2();
    const refusal = await confirmExchange(begun.state, flipped(answered.m2, at), ada.offer);
    assertInstanceOf(refusal, ExchangeRefusal, `byte ${at}`);
  });
});

Deno.test("no byte of m3 can be changed", async () => {
  const { length } = (await upToM3()).confirmed.m3;
  await forEachByte(length, async (at) => {
    const { answered, confirmed } = await upToM3();
    const refusal = await acceptConfirm(answered.state, flipped(confirmed.m3, at), never);
    assertInstanceOf(refusal, ExchangeRefusal, `byte ${at}`);
  });
});

Deno.test("no byte of m4 can be changed", async () => {
  const { length } = (await upToM4()).finished.m4;
  await forEachByte(length, async (at) => {
    const { confirmed, finished } = await upToM4();
    const refusal = await finishExchange(confirmed.state, flipped(finished.m4, at));
    assertInstanceOf(refusal, ExchangeRefusal, `byte ${at}`);
  });
});

Deno.test("a truncated or lengthened message is malformed", async () => {
  const { begun, answered, confirmed, finished } = await upToM4();
  const wrongs = (message: Bytes): readonly Bytes[] => [
    message.slice(0, 0),
    message.slice(0, 1),
    message.slice(0, -1),
    concatBytes(message, encodeUint(0, 1)),
  ];
  for (const m1 of wrongs(begun.m1)) {
    assertRefused(await answerExchange(await towards(bea, ada, 1), m1), "m1 malformed");
  }
  for (const m2 of wrongs(answered.m2)) {
    const { begun: { state } } = await upToM2();
    assertRefused(await confirmExchange(state, m2, ada.offer), "m2 malformed");
  }
  for (const m3 of wrongs(confirmed.m3)) {
    const { answered: { state } } = await upToM3();
    assertRefused(await acceptConfirm(state, m3, never), "m3 malformed");
  }
  for (const m4 of wrongs(finished.m4)) {
    const { confirmed: { state } } = await upToM4();
    assertRefused(await finishExchange(state, m4), "m4 malformed");
  }
});

Deno.test("messages of another exchange of the same pair are refused", async () => {
  const other = await upToM4();
  const first = await upToM2();
  assertRefused(
    await confirmExchange(first.begun.state, other.answered.m2, ada.offer),
    "signature wrong",
  );
  const second = await upToM3();
  assertRefused(
    await acceptConfirm(second.answered.state, other.confirmed.m3, never),
    "signature wrong",
  );
  const third = await upToM4();
  assertRefused(
    await finishExchange(third.confirmed.state, other.finished.m4),
    "seal does not open",
  );
});
