/** Beacons over the real loopback interface, and over two namespaces where the tests may make some. */
import { assertEquals, assertMatch, fail } from "@std/assert";
import { utf8 } from "../base/bytes.ts";
import type { NetworkInterface, ReceivedBeacon } from "../platform/network.ts";
import { ip } from "../../tests/fixtures/addresses.ts";
import { beaconLegs, SystemBeaconChannel } from "./beacon_channel.ts";
import { machine } from "./machine.ts";
import { SystemClock } from "./system_clock.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

const clock = new SystemClock();
/** Not the real one: a node may be running on the machine that tests. */
const port = 57_410;

const loopback: NetworkInterface = {
  name: "lo",
  addresses: [{ ip: ip("127.0.0.1"), prefixLength: 8 }, { ip: ip("::1"), prefixLength: 128 }],
};
const onlyLinux = { ignore: machine.os !== "linux" };

async function next(channel: SystemBeaconChannel): Promise<ReceivedBeacon> {
  for await (const beacon of channel.received()) return beacon;
  return fail("the channel ended");
}

Deno.test("beacons go from an interface's link-local and IPv4 addresses, each family in its way", () => {
  const one: NetworkInterface = {
    name: "eth0",
    index: 3,
    addresses: [
      { ip: ip("10.0.0.1"), prefixLength: 24 },
      { ip: ip("10.0.1.1"), prefixLength: 24 },
      { ip: ip("2001:db8::1"), prefixLength: 64 },
      { ip: ip("fe80::1"), prefixLength: 64 },
    ],
  };
  assertEquals(beaconLegs(one).map((leg) => leg.ip), ["fe80::1", "10.0.0.1", "10.0.1.1"]);
  assertEquals(beaconLegs(loopback).map((leg) => leg.ip), ["127.0.0.1"]);
});

Deno.test(
  "two channels of one machine share the port and hear one another and themselves",
  onlyLinux,
  async () => {
    const one = new SystemBeaconChannel(clock, port);
    const two = new SystemBeaconChannel(clock, port);
    assertEquals(await one.follow([loopback]), [{ name: "lo", multicast: true }]);
    assertEquals(await two.follow([loopback]), [{ name: "lo", multicast: true }]);
    assertEquals(await one.send(utf8("beacon"), "lo"), 1);
    for (const channel of [one, two]) {
      const { bytes, from, interfaceName } = await next(channel);
      assertEquals([bytes, from.ip, interfaceName], [utf8("beacon"), "127.0.0.1", "lo"]);
    }
    one.close();
    two.close();
  },
);

Deno.test(
  "an interface that is no longer followed neither sends nor is heard, until it comes back",
  onlyLinux,
  async () => {
    const one = new SystemBeaconChannel(clock, port + 1);
    const two = new SystemBeaconChannel(clock, port + 1);
    await one.follow([loopback]);
    await two.follow([loopback]);
    assertEquals(await one.follow([]), []);
    assertEquals(await one.send(utf8("x"), "lo"), 0);
    await two.send(utf8("unheard"), "lo");
    assertEquals((await next(two)).bytes, utf8("unheard"));
    // Followed again, twice: the second call changes nothing.
    assertEquals(await one.follow([loopback]), [{ name: "lo", multicast: true }]);
    assertEquals(await one.follow([loopback]), [{ name: "lo", multicast: true }]);
    await two.send(utf8("heard"), "lo");
    assertEquals((await next(one)).bytes, utf8("heard"));
    one.close();
    two.close();
  },
);

Deno.test(
  "an address that cannot be bound yet is a reason, and tried again at the next call",
  onlyLinux,
  async () => {
    const channel = new SystemBeaconChannel(clock, port + 2);
    const notYet: NetworkInterface = {
      name: "lo",
      index: 1,
      addresses: [{ ip: ip("fe80::dead"), prefixLength: 64 }],
    };
    const [state] = await channel.follow([notYet]);
    assertEquals([state?.name, state?.multicast], ["lo", false]);
    assertMatch(state?.reason ?? "", /^fe80::dead: the address is not ready yet$/);
    const both = { ...notYet, addresses: [...notYet.addresses, ...loopback.addresses] };
    const [half] = await channel.follow([both]);
    assertEquals([half?.multicast, half?.reason], [
      true,
      "fe80::dead: the address is not ready yet",
    ]);
    assertEquals(await channel.follow([loopback]), [{ name: "lo", multicast: true }]);
    const [none] = await channel.follow([{ name: "tun0", addresses: [] }]);
    assertEquals(none, {
      name: "tun0",
      multicast: false,
      reason: "no address that can join a group",
    });
    channel.close();
  },
);

Deno.test(
  "a channel that is closed ends its iteration, and closing while following leaks nothing",
  onlyLinux,
  async () => {
    // At whatever moment of the following it comes.
    for (let moment = 0; moment < 30; moment++) {
      const closing = new SystemBeaconChannel(clock, port + 3);
      const following = closing.follow([loopback]);
      for (let turn = 0; turn < moment; turn++) await Promise.resolve();
      closing.close();
      await following;
    }
    const channel = new SystemBeaconChannel(clock, port + 3);
    await channel.follow([loopback]);
    channel.close();
    for await (const _ of channel.received()) fail("nothing was sent");
    assertEquals(await channel.follow([loopback]), []);
    assertEquals(await channel.send(utf8("x"), "lo"), 0);
    channel.close();
  },
);
