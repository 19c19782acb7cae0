import { assert, assertEquals } from "@std/assert";
import { ip, MemoryNetwork } from "../../tests/sim/memory_network.ts";
import { VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { milliseconds } from "../base/instant.ts";
import { type IpAddress, samePrefix } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import type { DatagramSocket } from "../platform/network.ts";
import { formatSocketAddress, parseSocketAddress, socketAddress } from "../wire/socket_address.ts";
import { Background } from "./background.ts";
import { Sockets } from "./sockets.ts";

const port = 7411;

function world(host?: IpAddress) {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time, new Prng([1]));
  const machine = network.host("machine");
  const heard: string[] = [];
  const unbound: string[] = [];
  const background = new Background((what, error) => unbound.push(`${what}: ${error}`));
  const sockets = new Sockets(
    machine,
    background,
    {
      handleDatagram: ({ bytes, from }, socket) =>
        void heard.push(`${bytes[0]} ${formatSocketAddress(from)} ${socket.interfaceName}`),
      handleUnbound: (address, interfaceName, reason) =>
        void unbound.push(`${formatSocketAddress(address)} ${interfaceName}: ${reason}`),
    },
    port,
    host,
  );
  const follow = () => sockets.follow(machine.interfaces());
  const local = () => sockets.all().map((one) => formatSocketAddress(one.local)).sort();
  return { time, network, machine, sockets, heard, unbound, background, follow, local };
}

function towards(sockets: Sockets, to: string, known?: IpAddress): string | undefined {
  const address = parseSocketAddress(to);
  assert(address !== undefined);
  const shares = (local: IpAddress, remote: IpAddress) => samePrefix(local, remote, 24);
  const socket: DatagramSocket | undefined = sockets.towards(address, shares, known);
  return socket === undefined ? undefined : formatSocketAddress(socket.local);
}

Deno.test("there is a socket per address, and the interface of what arrives is known", async () => {
  const { time, network, machine, sockets, heard, follow, local } = world();
  machine.attach("eth0", "one", ip("10.0.0.1"), ip("fe80::1"));
  machine.attach("eth1", "two", ip("10.0.1.1"));
  await follow();
  assertEquals(local(), ["10.0.0.1:7411", "10.0.1.1:7411", "[fe80::1%eth0]:7411"]);
  const other = network.host("other");
  other.attach("eth7", "two", ip("10.0.1.2"));
  const from = await other.bindDatagram(socketAddress(ip("10.0.1.2"), 9), "eth7");
  await from.send(Uint8Array.of(42), socketAddress(ip("10.0.1.1"), port));
  await time.advance(milliseconds(10));
  assertEquals(heard, ["42 10.0.1.2:9 eth1"]);
  sockets.close();
});

Deno.test("sockets come and go with the addresses", async () => {
  const { machine, sockets, follow, local } = world();
  machine.attach("eth0", "one", ip("10.0.0.1"));
  await follow();
  const [kept] = sockets.all();
  machine.attach("eth1", "two", ip("10.0.1.1"));
  await follow();
  assertEquals(local(), ["10.0.0.1:7411", "10.0.1.1:7411"]);
  assert(sockets.all().some((one) => one === kept));
  machine.detach("eth0");
  await follow();
  assertEquals(local(), ["10.0.1.1:7411"]);
  sockets.close();
  assertEquals(local(), []);
  await follow();
  assertEquals(local(), []);
});

Deno.test("an address that moves to another interface is served as being there", async () => {
  const { machine, sockets, follow } = world();
  machine.attach("eth0", "one", ip("10.0.0.1"));
  await follow();
  // As when a bridge takes over the address of its first member.
  machine.detach("eth0");
  machine.attach("br0", "one", ip("10.0.0.1"));
  await follow();
  assertEquals(sockets.all().map(({ interfaceName }) => interfaceName), ["br0"]);
  sockets.close();
});

Deno.test("what cannot be bound is told once per reason and bound as soon as it can be", async () => {
  const { machine, sockets, unbound, follow, local } = world();
  machine.attach("eth0", "one", ip("10.0.0.1"));
  const taken = await machine.bindDatagram(socketAddress(ip("10.0.0.1"), port), "eth0");
  await follow();
  await follow();
  assertEquals(unbound, ["10.0.0.1:7411 eth0: Address already in use (os error 98)"]);
  taken.close();
  await follow();
  assertEquals(local(), ["10.0.0.1:7411"]);
  sockets.close();
});

Deno.test("with one address to listen at no other is served", async () => {
  const { machine, sockets, follow, local } = world(ip("10.0.1.1"));
  machine.attach("eth0", "one", ip("10.0.0.1"));
  machine.attach("eth1", "two", ip("10.0.1.1"), ip("fe80::1"));
  await follow();
  assertEquals(local(), ["10.0.1.1:7411"]);
  sockets.close();
});

Deno.test("a socket that ends by itself is bound anew at the next look", async () => {
  const { time, machine, sockets, follow, local } = world();
  machine.attach("eth0", "one", ip("10.0.0.1"));
  await follow();
  sockets.all()[0]?.close();
  await time.advance(milliseconds(1));
  assertEquals(local(), []);
  await follow();
  assertEquals(local(), ["10.0.0.1:7411"]);
  sockets.close();
});

Deno.test("looks that overlap bind no address twice", async () => {
  const { machine, sockets, unbound, follow } = world();
  machine.attach("eth0", "one", ip("10.0.0.1"));
  await Promise.all([follow(), follow(), follow()]);
  assertEquals([sockets.all().length, unbound], [1, []]);
  sockets.close();
});

Deno.test("closing at any moment while addresses are being bound leaves nothing open", async () => {
  for (let moment = 0; moment < 12; moment++) {
    const { machine, sockets, follow, local } = world();
    machine.attach("eth0", "one", ip("10.0.0.1"));
    machine.attach("eth1", "two", ip("10.0.1.1"));
    const following = follow();
    for (let i = 0; i < moment; i++) await Promise.resolve();
    sockets.close();
    await following;
    assertEquals(local(), []);
    // The addresses are free again.
    (await machine.bindDatagram(socketAddress(ip("10.0.0.1"), port), "eth0")).close();
    (await machine.bindDatagram(socketAddress(ip("10.0.1.1"), port), "eth1")).close();
  }
});

Deno.test("a datagram leaves in the zone or network of its receiver, else from where it can", async () => {
  const { machine, sockets, follow } = world();
  machine.attach("lo", "loop", ip("127.0.0.1"));
  machine.attach("eth0", "one", ip("10.0.0.1"), ip("fe80::1"));
  machine.attach("eth1", "two", ip("10.0.1.1"), ip("fe80::2"), ip("fd00::2"));
  machine.attach("wan", "three", ip("198.51.100.7"));
  await follow();
  assertEquals(towards(sockets, "10.0.1.99:7411"), "10.0.1.1:7411");
  assertEquals(towards(sockets, "[fe80::9%eth1]:7411"), "[fe80::2%eth1]:7411");
  assertEquals(towards(sockets, "[fe80::9%eth7]:7411"), undefined);
  assertEquals(towards(sockets, "10.7.0.1:7411"), "10.0.1.1:7411");
  assertEquals(towards(sockets, "203.0.113.1:7411"), "198.51.100.7:7411");
  assertEquals(towards(sockets, "127.0.0.1:7411"), "127.0.0.1:7411");
  assertEquals(towards(sockets, "[2001:db8::1]:7411"), "[fd00::2]:7411");
  // Where the system is known to go there from another address, that is taken while it is there.
  assertEquals(towards(sockets, "10.7.0.1:7411", ip("10.0.0.1")), "10.0.0.1:7411");
  assertEquals(towards(sockets, "10.7.0.1:7411", ip("10.0.0.9")), "10.0.1.1:7411");
  assertEquals(towards(sockets, "[fe80::9%eth1]:7411", ip("fe80::1")), "[fe80::2%eth1]:7411");
  machine.detach("lo");
  await follow();
  assertEquals(towards(sockets, "127.0.0.1:7411"), undefined);
  sockets.close();
});
