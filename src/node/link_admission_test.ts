import { assert, assertEquals } from "@std/assert";
import { ip } from "../../tests/fixtures/addresses.ts";
import type { IpAddress } from "../base/ip.ts";
import { linksFree, linksMax, linksPerAddressMax } from "./limits.ts";
import { admitsLink } from "./link_admission.ts";

const strangers = (count: number): IpAddress[] =>
  Array.from({ length: count }, (_, i) => ip(`10.0.0.${i + 1}`));

/** How many links one machine gets by asking at each of these addresses again and again. */
function taken(addresses: readonly (IpAddress | undefined)[], peerLinks?: number): number {
  const held: (IpAddress | undefined)[] = [];
  for (let round = 0; round < linksMax + 1; round++) {
    for (const from of addresses) if (admitsLink({ from, held, peerLinks })) held.push(from);
  }
  return held.length;
}

Deno.test("a machine with made-up identities leaves links to others", () => {
  const addresses = [ip("10.9.9.9"), ip("fe80::9"), ip("2001:db8::9")];
  assert(taken(addresses.slice(0, 1)) < linksFree);
  assert(taken(addresses) < linksFree, "not even with an address of each sort");
});

Deno.test("this machine's own nodes, and nodes each at its own address, may fill all free links", () => {
  assertEquals(taken([undefined], 3), linksFree);
  assertEquals(taken(strangers(40), 3), linksFree);
});

Deno.test("the links above the free ones are for who has few, or says nothing", () => {
  const held = strangers(linksFree);
  const from = ip("10.0.1.1");
  assert(!admitsLink({ from, held, peerLinks: 3 }));
  assert(admitsLink({ from, held, peerLinks: 2 }));
  assert(admitsLink({ from, held, peerLinks: undefined }));
  assert(!admitsLink({ from, held: strangers(linksMax), peerLinks: 0 }));
});

Deno.test("an address keeps the links it got while there were few", () => {
  const held = Array.from({ length: linksPerAddressMax }, () => ip("10.0.0.1"));
  assert(admitsLink({ from: ip("10.0.0.1"), held, peerLinks: 9 }));
});
