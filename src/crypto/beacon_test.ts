import { assertEquals, assertNotEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { type IslandClaim, IslandKey, openTag } from "./beacon.ts";

// The expected values were computed with Python's hashlib and hmac.
const claim: IslandClaim = {
  smallestId: Uint8Array.from({ length: 32 }, (_, i) => i),
  hour: 0,
  idForm: "plain",
  id: Uint8Array.from({ length: 32 }, (_, i) => 0x20 + i),
};

Deno.test("the tag of open meshes is this", async () => {
  assertEquals(toHex(await openTag()), "8c542183440321525e2cbca12bb1fabd");
});

Deno.test("the island mark of an open mesh is this", async () => {
  const key = await IslandKey.open();
  assertEquals(toHex(await key.mark(claim)), "14f516a507305bc71becdf62596203f6");
});

Deno.test("the island mark of a cluster is this, with the hour and the blinded form in it", async () => {
  const key = await IslandKey.ofCluster(new Uint8Array(32).fill(0x0b));
  const mark = await key.mark({ ...claim, hour: 495_833, idForm: "blinded" });
  assertEquals(toHex(mark), "1c8fa73ee77271ee2c59579cad61ae7a");
});

Deno.test("another smallest id, hour, form or sender gives another mark", async () => {
  const key = await IslandKey.open();
  const mark = toHex(await key.mark(claim));
  const other = new Uint8Array(32);
  for (
    const different of [
      { ...claim, smallestId: other },
      { ...claim, hour: 1 },
      { ...claim, idForm: "blinded" as const },
      { ...claim, id: other },
    ]
  ) {
    assertNotEquals(toHex(await key.mark(different)), mark);
  }
});
