import { assert, assertEquals, fail } from "@std/assert";
import type { Instant, WallTime } from "../base/instant.ts";
import type { NetworkInterface } from "../platform/network.ts";
import { ip } from "../../tests/fixtures/addresses.ts";
import {
  followInterfaces,
  groupInterfaces,
  interfaceHolding,
  listInterfaces,
  systemAddress,
} from "./interfaces.ts";
import { SystemClock } from "./system_clock.ts";

const fleet = groupInterfaces([
  { name: "wlan0", address: "10.0.0.7", cidr: "10.0.0.7/24", scopeid: null },
  { name: "eth0", address: "192.0.2.9", cidr: "192.0.2.9/25", scopeid: null },
  { name: "eth0:1", address: "192.0.2.10", cidr: "192.0.2.10/25", scopeid: null },
  { name: "eth0", address: "2001:DB8::0:9", cidr: "2001:DB8::0:9/64", scopeid: 0 },
  { name: "eth0", address: "fe80::9", cidr: "fe80::9/64", scopeid: 4 },
  { name: "odd0", address: "not an address", cidr: "", scopeid: null },
]);

Deno.test("addresses are grouped by interface, an alias belongs to its own, the index is the scope", () => {
  assertEquals(fleet, [
    {
      name: "eth0",
      index: 4,
      addresses: [
        { ip: ip("192.0.2.10"), prefixLength: 25 },
        { ip: ip("192.0.2.9"), prefixLength: 25 },
        { ip: ip("2001:db8::9"), prefixLength: 64 },
        { ip: ip("fe80::9"), prefixLength: 64 },
      ],
    },
    { name: "wlan0", addresses: [{ ip: ip("10.0.0.7"), prefixLength: 24 }] },
  ]);
});

Deno.test("an address names its interface, and a zone becomes the index", () => {
  assertEquals(interfaceHolding(ip("10.0.0.7"), fleet), "wlan0");
  assertEquals(interfaceHolding(ip("10.0.0.8"), fleet), undefined);
  assertEquals(systemAddress(ip("fe80::1"), "eth0", fleet), "fe80::1%4");
  assertEquals(systemAddress(ip("fe80::1"), "gone0", fleet), "fe80::1");
  assertEquals(systemAddress(ip("10.0.0.1"), undefined, fleet), "10.0.0.1");
});

Deno.test("this machine has a loopback interface under its own name", () => {
  const name = interfaceHolding(ip("127.0.0.1"), listInterfaces());
  assert(name !== undefined);
});

/** A clock whose waits are over at once. */
class HastyClock extends SystemClock {
  override wait(_until: Instant, signal: AbortSignal): Promise<void> {
    return signal.aborted ? Promise.resolve() : new Promise((resolve) => queueMicrotask(resolve));
  }
  override wall(): WallTime {
    return fail("nobody needs the calendar");
  }
}

Deno.test("changes are told once each, the first list at once, until the signal", async () => {
  const [eth0, wlan0] = fleet;
  if (eth0 === undefined || wlan0 === undefined) fail("two interfaces");
  const lists: (readonly NetworkInterface[])[] = [
    [eth0],
    [eth0],
    [eth0, wlan0],
    [
      eth0,
      wlan0,
    ],
    [],
    [wlan0],
  ];
  const controller = new AbortController();
  const told: string[] = [];
  const list = () => lists.shift() ?? [wlan0];
  for await (const interfaces of followInterfaces(new HastyClock(), controller.signal, list)) {
    told.push(interfaces.map(({ name }) => name).join(" "));
    if (lists.length === 0) controller.abort();
  }
  assertEquals(told, ["eth0", "eth0 wlan0", "", "wlan0"]);
});
