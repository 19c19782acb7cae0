import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { signWith } from "../crypto/mod.ts";
import {
  accepted,
  ada,
  assertRefused,
  type Extra,
  mallory,
  never,
  node,
  secret,
  type TestNode,
  towards,
} from "../../tests/fixtures/exchange_pair.ts";
import { ExchangeRefusal } from "./exchange.ts";
import { beginExchange, confirmExchange, finishExchange } from "./exchange_initiator.ts";
import { acceptConfirm, answerExchange } from "./exchange_responder.ts";

async function ownIdExchange(dialler: TestNode, dialled: TestNode, extra: Extra = {}) {
  const begun = await beginExchange(await towards(dialler, dialled, 1, extra));
  const answered = accepted(
    await answerExchange(await towards(dialled, dialler, 1, extra), begun.m1),
  );
  const confirmed = accepted(await confirmExchange(begun.state, answered.m2, dialler.offer));
  const atDialled = await acceptConfirm(answered.state, confirmed.m3, never);
  assertInstanceOf(atDialled, ExchangeRefusal);
  assert(atDialled.m4 !== undefined);
  const atDialler = await finishExchange(confirmed.state, atDialled.m4);
  assertInstanceOf(atDialler, ExchangeRefusal);
  return { m3: confirmed.m3, atDialled, atDialler };
}

Deno.test("a node that dials itself reads its own boot nonce", async () => {
  const { atDialler, atDialled } = await ownIdExchange(ada, ada);
  for (const refusal of [atDialler, atDialled]) {
    assertRefused(refusal, "own id");
    assertEquals(refusal.bootNonce, ada.offer.bootNonce);
  }
});

Deno.test("two nodes with one key learn each other's boot nonce and nothing else", async () => {
  const [old, clone] = [await node(1, 40), await node(1, 41)];
  for (const extra of [{}, { clusterSecret: secret }]) {
    const { m3, atDialler, atDialled } = await ownIdExchange(old, clone, extra);
    assertRefused(atDialler, "own id");
    assertRefused(atDialled, "own id");
    assertEquals(atDialler.bootNonce, clone.offer.bootNonce);
    assertEquals(atDialled.bootNonce, old.offer.bootNonce);
    assertEquals(atDialler.m4, undefined);
    // Array head, proof, signature, then 25 bytes of notice and 16 of tag.
    assertEquals(m3.length, 1 + 34 + 66 + 2 + 25 + 16);
    assert((atDialled.m4?.length ?? 0) < 50);
  }
});

Deno.test("without the key, the own id gets nobody to a boot nonce", async () => {
  // Mallory comes under Ada's certificates, as if TLS had been fooled, but signs with her own key.
  const posing: TestNode = {
    ...mallory,
    context: {
      ...mallory.context,
      self: {
        ...mallory.context.self,
        identity: {
          id: ada.context.self.identity.id,
          sign: (label, data) => signWith(mallory.key, label, data),
        },
      },
    },
  };
  const seenByAda = {
    peer: {
      id: ada.context.self.identity.id,
      publicKey: ada.key.publicKey,
      leafHash: mallory.context.self.leafHash,
    },
  };
  const dial = await beginExchange(await towards(posing, ada, 1));
  const answered = accepted(
    await answerExchange(await towards(ada, ada, 1, seenByAda), dial.m1),
  );
  const confirmed = accepted(await confirmExchange(dial.state, answered.m2, mallory.offer));
  const refusal = await acceptConfirm(answered.state, confirmed.m3, never);
  assertRefused(refusal, "signature wrong");
  assert(refusal instanceof ExchangeRefusal);
  assertEquals([refusal.bootNonce, refusal.m4], [undefined, undefined]);

  const begun = await beginExchange(await towards(ada, ada, 1, seenByAda));
  const posed = accepted(await answerExchange(await towards(posing, ada, 1), begun.m1));
  assertRefused(await confirmExchange(begun.state, posed.m2, ada.offer), "signature wrong");
});
