import { assert, assertEquals, assertRejects } from "@std/assert";
import { instant, milliseconds, seconds, wallTime } from "../../src/base/instant.ts";
import { Prng } from "../../src/base/prng.ts";
import { socketAddress } from "../../src/wire/socket_address.ts";
import { SeededEntropy } from "../fixtures/entropy.ts";
import { CryptoGate } from "./crypto_gate.ts";
import { ip, MemoryNetwork } from "./memory_network.ts";
import { MemoryStreams } from "./memory_streams.ts";
import { VirtualClock, VirtualTime } from "./virtual_clock.ts";

const data = new Uint8Array(64);

Deno.test("virtual time goes from one thing that is due to the next, in order, and no further than told", async () => {
  const time = new VirtualTime();
  const done: string[] = [];
  const note = (what: string) => () => done.push(`${what} ${time.now}`);
  time.after(milliseconds(20), note("b"));
  time.after(milliseconds(10), note("a"));
  time.after(milliseconds(20), note("c"));
  const callOff = time.after(milliseconds(15), note("never"));
  time.after(milliseconds(12), () => time.after(milliseconds(0), note("soon")));
  callOff();
  await time.advance(milliseconds(19));
  assertEquals([done, time.now], [["a 10", "soon 12"], 19]);
  await time.advance(seconds(1));
  assertEquals(done.slice(2), ["b 20", "c 20"]);
});

Deno.test("a clock's wait ends with its time or its signal, and a halted clock's never", async () => {
  const time = new VirtualTime();
  const clock = new VirtualClock(time, { monotonicOrigin: instant(500), wallOrigin: wallTime(9) });
  const done: string[] = [];
  const wait = (what: string, until: number, signal: AbortSignal) => {
    clock.wait(instant(until), signal).then(() => done.push(what), () => done.push("rejected"));
  };
  const abort = new AbortController();
  const { signal } = new AbortController();
  wait("time", 510, signal);
  wait("signal", 9_000, abort.signal);
  wait("past", 1, signal);
  await time.advance(milliseconds(5));
  assertEquals(done, ["past"]);
  abort.abort();
  await time.advance(milliseconds(5));
  assertEquals([done, clock.monotonic(), clock.wall()], [["past", "signal", "time"], 510, 19]);
  wait("halted", 520, signal);
  clock.halt();
  await time.advance(seconds(1));
  assertEquals(done.length, 3);
});

Deno.test("the gate is quiet only when no operation is under way and all that follows has run", async () => {
  using gate = CryptoGate.install();
  const done: number[] = [];
  const chain = async (length: number) => {
    for (let i = 0; i < length; i++) await crypto.subtle.digest("SHA-256", data);
    done.push(length);
  };
  const chains = [chain(3), chain(50), chain(1)];
  await gate.quiet();
  assertEquals(done, [1, 3, 50]);
  assertEquals(gate.operations, 54);
  await Promise.all(chains);
});

Deno.test("operations end in the order in which they were begun, however long each takes", async () => {
  using gate = CryptoGate.install();
  const done: string[] = [];
  const large = new Uint8Array(4_000_000);
  const note = (what: string, work: Promise<unknown>) =>
    work.then(() => done.push(what), () => done.push(`${what} failed`));
  const all = [
    note("slow", crypto.subtle.digest("SHA-512", large)),
    note("wrong", crypto.subtle.importKey("raw", data, "Ed25519", false, ["verify"])),
    note("quick", crypto.subtle.digest("SHA-256", data)),
  ];
  await gate.quiet();
  assertEquals(done, ["slow", "wrong failed", "quick"]);
  await Promise.all(all);
});

Deno.test("without the gate cryptography is as it was", async () => {
  const before = SubtleCrypto.prototype.digest;
  {
    using _gate = CryptoGate.install();
    assert(SubtleCrypto.prototype.digest !== before);
  }
  assertEquals(SubtleCrypto.prototype.digest, before);
  assertEquals((await crypto.subtle.digest("SHA-256", data)).byteLength, 32);
});

function lan() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time, new Prng([1]));
  const [a, b] = [network.host("a"), network.host("b")];
  a.attach("eth0", "lan", ip("10.0.0.1"));
  b.attach("eth0", "lan", ip("10.0.0.2"), ip("fe80::2"));
  return { time, network, a, b };
}

Deno.test("datagrams take their time, stop at a cut, get lost, and follow an address that moves", async () => {
  const { time, network, a, b } = lan();
  const [to, from] = [socketAddress(ip("10.0.0.2"), 9), socketAddress(ip("10.0.0.1"), 9)];
  const sender = await a.bindDatagram(from, "eth0");
  const receiver = await b.bindDatagram(to, "eth0");
  const heard: number[] = [];
  const reading = (async () => {
    for await (const { bytes } of receiver.received()) heard.push(bytes[0] ?? 0, time.now);
  })();
  network.setDelay(a, b, milliseconds(30));
  assert(await sender.send(Uint8Array.of(1), to));
  await time.advance(milliseconds(50));
  assertEquals(heard, [1, 30]);
  network.cut(a, b);
  await sender.send(Uint8Array.of(2), to);
  network.mend(a, b);
  network.loss = 1;
  await sender.send(Uint8Array.of(3), to);
  network.loss = 0;
  b.attach("eth0", "elsewhere", ip("10.0.0.2"));
  await sender.send(Uint8Array.of(4), to);
  await time.advance(seconds(1));
  assertEquals(heard.length, 2);
  a.detach("eth0");
  assertEquals(await sender.send(Uint8Array.of(5), to), false);
  await assertRejects(() => a.bindDatagram(from, "eth0"), Error, "Cannot assign");
  receiver.close();
  await reading;
});

Deno.test("a dial finds the port open, closed, or nobody; both ends see one binding and the other's chain", async () => {
  const { time, network, a, b } = lan();
  const streams = new MemoryStreams(time, new SeededEntropy([1]));
  const chainOf = (byte: number) => ({ leaf: data.slice().fill(byte), root: data });
  const dialer = streams.dialer(a, chainOf(1));
  const { signal } = new AbortController();
  const dial = async (address: string, port: number) => {
    let outcome: Awaited<ReturnType<typeof dialer.dial>> | undefined;
    dialer.dial(socketAddress(ip(address), port), signal).then((ended) => {
      outcome = ended;
    }, () => {});
    await time.advanceUntil(() => outcome !== undefined, seconds(10));
    assert(outcome !== undefined);
    return outcome;
  };
  const failure = async (address: string, port: number) => {
    const outcome = await dial(address, port);
    return "failed" in outcome ? outcome.failed : "connected";
  };
  let seen: unknown;
  const close = streams.listen(b, 7, {
    chain: chainOf(2),
    handler: (connection, { body }) => {
      seen = [connection.chain, connection.binding];
      return Promise.resolve(body.length === 0 ? undefined : { status: 200, body });
    },
  });
  const connection = await dial("10.0.0.2", 7);
  assert(!("failed" in connection));
  const ask = async (body: Uint8Array<ArrayBuffer>) => {
    const answer = connection.request("POST", "/", body, signal);
    answer.catch(() => undefined); // It is awaited when its time has passed.
    await time.advance(milliseconds(10));
    return await answer;
  };
  assertEquals((await ask(Uint8Array.of(9))).body, Uint8Array.of(9));
  assertEquals(seen, [chainOf(1), connection.binding]);
  assertEquals(connection.chain, chainOf(2));
  assertEquals((await ask(new Uint8Array(0))).status, 400);
  await assertRejects(() => ask(Uint8Array.of(9)), Error, "closed");
  assertEquals(await failure("10.0.0.2", 8), "refused");
  assertEquals(await failure("10.0.0.3", 7), "timeout");
  network.cut(b, a);
  assertEquals(await failure("10.0.0.2", 7), "timeout");
  network.mend(b, a);
  close();
  assertEquals(await failure("10.0.0.2", 7), "refused");
});
