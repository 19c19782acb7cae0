import { assert } from "@std/assert";
import { protectedKeyBytesMax } from "../crypto/limits.ts";
import { nodeIdBytesLength } from "../wire/node_id.ts";
import { newIdentity } from "./identity.ts";
import * as limits from "./limits.ts";

Deno.test("a protected key of the greatest length fits into a key file", () => {
  const lines = Math.ceil(protectedKeyBytesMax / 48) + 1;
  assert(limits.keyFileBytesMax >= Math.ceil(protectedKeyBytesMax / 3) * 4 + lines + 100);
});

Deno.test("a node id fits into a name, a key identifier into a node id", () => {
  assert(limits.commonNameBytesMax >= 52);
  assert(limits.keyIdentifierBytes <= nodeIdBytesLength);
});

Deno.test("our certificates are far below the limit", async () => {
  const { leaf, root } = await (await newIdentity()).newLeaf();
  assert(Math.max(leaf.length, root.length) * 8 < limits.certificateBytesMax);
});
