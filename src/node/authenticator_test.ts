import { assert, assertEquals } from "@std/assert";
import { ip } from "../../tests/fixtures/addresses.ts";
import { quietOwner } from "../../tests/fixtures/quiet_owner.ts";
import { Counters } from "../base/counters.ts";
import { isIdentityProblem, newIdentity } from "../identity/mod.ts";
import { SystemClock, SystemEntropy } from "../host/mod.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { Authenticator } from "./authenticator.ts";

Deno.test("an address that may not dial us is not dialled either, whoever's record names it", async () => {
  const identity = await newIdentity();
  assert(!isIdentityProblem(identity));
  const dialled: string[] = [];
  const near = socketAddress(ip("192.168.1.7"), 7411);
  const far = socketAddress(ip("203.0.113.9"), 443);
  const authenticator = new Authenticator({
    self: { identity, leafHash: new Uint8Array(32), bootNonce: new Uint8Array(16) },
    clock: new SystemClock(),
    entropy: new SystemEntropy(),
    dialer: {
      dial(to) {
        dialled.push(to.ip);
        return Promise.resolve({ failed: "refused", detail: "closed" });
      },
    },
    counters: new Counters(),
    owner: quietOwner({ admitsAddress: (remote) => remote.ip === near.ip }),
  });
  const { signal } = new AbortController();
  assertEquals((await authenticator.dial(far, signal)).kind, "failed");
  assertEquals((await authenticator.dial(near, signal)).kind, "failed");
  assertEquals(dialled, ["192.168.1.7"]);
});
