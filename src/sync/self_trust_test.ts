import { assertEquals } from "@std/assert";
import { fakeNodeId } from "../../tests/fixtures/node_ids.ts";
import { selfDoubtMax } from "./limits.ts";
import { SelfTrust } from "./self_trust.ts";

Deno.test("who runs late gives others more time, up to a limit, and less again with each answer", () => {
  const trust = new SelfTrust();
  assertEquals(trust.patienceFactor, 1);
  for (let i = 0; i < 3 * selfDoubtMax; i++) trust.handleLate();
  assertEquals(trust.patienceFactor, 1 + selfDoubtMax);
  trust.handleAnswer();
  assertEquals(trust.patienceFactor, selfDoubtMax);
  for (let i = 0; i < 3 * selfDoubtMax; i++) trust.handleAnswer();
  assertEquals(trust.patienceFactor, 1);
});

Deno.test("one silent link is that link's matter, several in a row with no answer between are ours", () => {
  const trust = new SelfTrust();
  for (let i = 0; i < 10; i++) trust.handleMiss(fakeNodeId(1));
  assertEquals(trust.patienceFactor, 1);
  trust.handleMiss(fakeNodeId(2));
  trust.handleMiss(fakeNodeId(3));
  assertEquals(trust.patienceFactor, 3);
  trust.handleAnswer();
  trust.handleAnswer();
  trust.handleMiss(fakeNodeId(4));
  assertEquals(trust.patienceFactor, 1, "the first since an answer");
  trust.handleAnswer();
  for (let i = 1; i < 10; i++) {
    trust.handleMiss(fakeNodeId(i));
    trust.handleAnswer();
  }
  assertEquals(trust.patienceFactor, 1);
});
