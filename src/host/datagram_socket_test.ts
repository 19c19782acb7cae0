import { assert, assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../base/bytes.ts";
import type { DatagramSocket, ReceivedDatagram } from "../platform/network.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import { ip } from "../../tests/fixtures/addresses.ts";
import { DenoNetwork } from "./deno_network.ts";
import { DATAGRAM_BUFFER_BYTES } from "./limits.ts";
import { SystemClock } from "./system_clock.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

const network = new DenoNetwork(new SystemClock());

function at(text: string, port = 0): SocketAddress {
  return { ip: ip(text), port };
}

/** The next `count` datagrams; the socket may be iterated again. */
async function take(socket: DatagramSocket, count: number): Promise<ReceivedDatagram[]> {
  const taken: ReceivedDatagram[] = [];
  const received = socket.received()[Symbol.asyncIterator]();
  while (taken.length < count) {
    const next = await received.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams go and come with their senders on ${address}`, async () => {
    const one = await network.bindDatagram(at(address), "lo");
    const two = await network.bindDatagram(at(address), "lo");
    assert(one.local.port !== 0 && one.local.port !== two.local.port);
    assertEquals([one.local.ip, one.interfaceName, one.local.zone], [address, "lo", undefined]);
    const bytes = crypto.getRandomValues(new Uint8Array(1_232));
    assertEquals(await one.send(bytes, two.local), true);
    assertEquals(await one.send(utf8("next"), two.local), true);
    const [first, second] = await take(two, 2);
    assertEquals(first, { bytes, from: one.local });
    // The first one's memory is its own: the second did not write over it.
    assertEquals(second, { bytes: utf8("next"), from: one.local });
    one.close();
    one.close();
    two.close();
    assertEquals(await one.send(bytes, two.local), false);
  });
}

Deno.test("a datagram that is too long arrives too long, not cut to something that looks right", async () => {
  const one = await network.bindDatagram(at("127.0.0.1"), "lo");
  const two = await network.bindDatagram(at("127.0.0.1"), "lo");
  await one.send(new Uint8Array(9_000), two.local);
  const [datagram] = await take(two, 1);
  assertEquals(datagram?.bytes.length, DATAGRAM_BUFFER_BYTES);
  one.close();
  two.close();
});

Deno.test("a port that answers with an error does not end the receiving", async () => {
  const one = await network.bindDatagram(at("127.0.0.1"), "lo");
  const gone = await network.bindDatagram(at("127.0.0.1"), "lo");
  gone.close();
  const taking = take(one, 1);
  // The system reports the closed port to a later call on the socket.
  for (let n = 0; n < 5; n++) await one.send(utf8("anybody?"), gone.local);
  const two = await network.bindDatagram(at("127.0.0.1"), "lo");
  while (!await two.send(utf8("here"), one.local));
  assertEquals(await taking, [{ bytes: utf8("here"), from: two.local }]);
  one.close();
  two.close();
});

Deno.test("closing ends the iteration, whether it waits or has not begun", async () => {
  const one = await network.bindDatagram(at("127.0.0.1"), "lo");
  const waiting = take(one, 1);
  one.close();
  assertEquals(await waiting, []);
  assertEquals(await take(one, 1), []);
});

Deno.test("what cannot be sent is false: the other family, another interface, no route", async () => {
  const four = await network.bindDatagram(at("127.0.0.1"), "lo");
  const six = await network.bindDatagram(at("::1"), "lo");
  assertEquals(await four.send(utf8("x"), six.local), false);
  assertEquals(await six.send(utf8("x"), four.local), false);
  assertEquals(await six.send(utf8("x"), { ...at("fe80::1", 9), zone: "eth9" }), false);
  assertEquals(await six.send(new Uint8Array(70_000), six.local), false);
  four.close();
  six.close();
});

Deno.test("an address that is not here or a port that is taken rejects with the system's error", async () => {
  await assertRejects(
    () => network.bindDatagram(at("192.0.2.200"), "lo"),
    Deno.errors.AddrNotAvailable,
  );
  const one = await network.bindDatagram(at("127.0.0.1"), "lo");
  await assertRejects(() => network.bindDatagram(one.local, "lo"), Deno.errors.AddrInUse);
  one.close();
});
