import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { decodeM2 } from "../wire/exchange.ts";
import {
  accepted,
  ada,
  assertRefused,
  bea,
  never,
  olderSecret,
  secret,
  upToM2,
  upToM3,
  upToM4,
} from "../../tests/fixtures/exchange_pair.ts";
import { confirmExchange, finishExchange } from "./exchange_initiator.ts";
import { acceptConfirm } from "./exchange_responder.ts";

Deno.test("two members prove the cluster secret to each other", async () => {
  const { confirmed, finished } = await upToM4({ clusterSecret: secret }, {
    clusterSecret: secret,
  });
  assertEquals(finished.result.proof, "right");
  assertEquals(accepted(await finishExchange(confirmed.state, finished.m4)).proof, "right");
});

Deno.test("a proof without a secret looks like one", async () => {
  const { answered } = await upToM2();
  const { answered: again } = await upToM2();
  const [one, other] = [decodeM2(answered.m2), decodeM2(again.m2)];
  assert(!(one instanceof DecodeError) && !(other instanceof DecodeError));
  assertEquals(one.proof.length, 32);
  assertNotEquals(one.proof, other.proof);
});

Deno.test("the initiator shows nothing to a responder without the secret", async () => {
  for (const beas of [{}, { clusterSecret: olderSecret }]) {
    const { begun, answered } = await upToM2({ clusterSecret: secret }, beas);
    assertRefused(
      await confirmExchange(begun.state, answered.m2, ada.offer),
      "cluster secret not proved",
    );
  }
});

Deno.test("the responder shows nothing to an initiator without the secret", async () => {
  for (const adas of [{}, { clusterSecret: olderSecret, isMember: () => true }]) {
    const { answered, confirmed } = await upToM3(adas, { clusterSecret: secret });
    assertRefused(
      await acceptConfirm(answered.state, confirmed.m3, never),
      "cluster secret not proved",
    );
  }
});

Deno.test("a member known by its statement passes with a wrong proof", async () => {
  const asked: unknown[] = [];
  const isMember = (peer: string, presented: readonly Bytes[]): boolean => {
    asked.push([peer, presented]);
    return true;
  };
  const { finished } = await upToM4({ clusterSecret: olderSecret, isMember }, {
    clusterSecret: secret,
    isMember: (peer, presented) => Promise.resolve(isMember(peer, presented)),
  });
  assertEquals(finished.result.proof, "wrong");
  assertEquals(asked, [
    [bea.context.self.identity.id, []],
    [ada.context.self.identity.id, ada.offer.membership],
  ]);
});

Deno.test("nobody is asked for statements when the proof is right", async () => {
  const isMember = (): boolean => {
    throw new Error("asked");
  };
  const { finished } = await upToM4({ clusterSecret: secret, isMember }, {
    clusterSecret: secret,
    isMember,
  });
  assertEquals(finished.result.proof, "right");
});

Deno.test("while a secret is replaced, its holders still prove it to those who have the new", async () => {
  const newer = { clusterSecret: secret, previousClusterSecret: olderSecret };
  const toOlder = await upToM4(newer, { clusterSecret: olderSecret });
  assertEquals(toOlder.finished.result.proof, "right");
  const { begun, answered } = await upToM2({ clusterSecret: olderSecret }, newer);
  assertRefused(
    await confirmExchange(begun.state, answered.m2, ada.offer),
    "cluster secret not proved",
  );
  const known = await upToM4({ clusterSecret: olderSecret, isMember: () => true }, newer);
  assertEquals(known.finished.result.proof, "right");
});
