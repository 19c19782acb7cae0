import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { KnownBook } from "../../tests/fixtures/known_book.ts";
import { CryptoGate } from "../../tests/sim/crypto_gate.ts";
import { ip, MemoryNetwork } from "../../tests/sim/memory_network.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { quietOwner } from "../../tests/fixtures/quiet_owner.ts";
import { Counters } from "../base/counters.ts";
import { milliseconds, seconds } from "../base/instant.ts";
import type { IpAddress } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import { IslandKey, openTag } from "../crypto/mod.ts";
import { Discovery } from "../discovery/mod.ts";
import { identityOfSeed } from "../identity/mod.ts";
import type { DialFailure } from "../platform/secure_streams.ts";
import { decodeBeacon, encodeBeacon } from "../wire/beacon.ts";
import { isDecodeError } from "../base/decode.ts";
import { nodeIdToBytes } from "../wire/node_id.ts";
import { formatSocketAddress, parseSocketAddress } from "../wire/socket_address.ts";
import { Authenticator } from "./authenticator.ts";
import { Background } from "./background.ts";
import { Finder } from "./finder.ts";
import { exchangeWait } from "./limits.ts";
import { Lateness } from "./lateness.ts";
import { Warnings } from "./warnings.ts";

/** A finder on a network where nobody's port opens, and what it dialled. */
async function world(gate: CryptoGate, peers: readonly string[] = []) {
  const time = new VirtualTime(() => gate.quiet());
  const clock = new VirtualClock(time);
  const network = new MemoryNetwork(time, new Prng([1]));
  const host = network.host("self");
  host.attach("eth0", "lan", ip("10.0.0.1"));
  const other = network.host("other");
  other.attach("eth0", "lan", ip("10.0.0.2"));
  const ears = await other.openBeacons();
  await ears.follow(other.interfaces());
  const identity = await identityOfSeed(new Uint8Array(32).fill(1));
  const stranger = await identityOfSeed(new Uint8Array(32).fill(2));
  const [tag, islandKey] = await Promise.all([openTag(), IslandKey.open()]);
  const troubles: string[] = [];
  const counters = new Counters();
  const background = new Background((what, error) => troubles.push(`${what}: ${error}`));
  const beacons = await host.openBeacons();
  await beacons.follow(host.interfaces());
  const dialled: string[] = [];
  const state = {
    hangs: false,
    announces: true,
    isReached: false,
    ips: [] as readonly IpAddress[],
  };
  const entropy = new SeededEntropy([1]);
  const authenticator = new Authenticator({
    self: { identity, leafHash: new Uint8Array(32), bootNonce: new Uint8Array(16) },
    clock,
    entropy,
    dialer: {
      dial: (to, signal, onConnected) => {
        dialled.push(formatSocketAddress(to));
        if (!state.hangs) return Promise.resolve({ failed: "refused", detail: "closed" });
        onConnected?.();
        return new Promise<DialFailure>((resolve) => {
          const abort = () => resolve({ failed: "aborted", detail: "called off" });
          if (signal.aborted) abort();
          signal.addEventListener("abort", abort);
        });
      },
    },
    counters,
    owner: quietOwner(),
  });
  const stopping = new AbortController();
  const warnings = new Warnings(() => {});
  const discovery = new Discovery({
    self: identity.id,
    port: 7411,
    peers,
    multicast: true,
    prng: new Prng([3]),
    known: new KnownBook(new Prng([4])),
  }, clock.monotonic());
  const finder = new Finder({
    lateness: new Lateness(),
    selfId: identity.id,
    port: 7411,
    clock,
    counters,
    background,
    discovery,
    beacons,
    tag,
    islandKey,
    authenticator,
    warnings,
    lookUpHost: () => Promise.resolve(state.ips),
    owner: {
      smallestReachable: () => identity.id,
      isReachable: () => state.isReached,
      handleDialled: () => {},
      handleOwnId: () => false,
      announces: () => state.announces,
      poke: () => {},
    },
    stopping: stopping.signal,
  });
  background.own("hear", finder.hear());
  const beaconOf = async (mesh = tag, solicitation = true) => {
    const id = nodeIdToBytes(stranger.id);
    const island = await islandKey.mark({ smallestId: id, hour: 0, idForm: "plain", id });
    const fields = { solicitation, idForm: "plain", id, port: 7499, island } as const;
    return encodeBeacon({ ...fields, tag: mesh });
  };
  const run = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      await time.advance(milliseconds(10));
      const due = finder.nextTimeout();
      if (due !== undefined && due <= clock.monotonic()) finder.handleTimeout(clock.monotonic());
    }
    assertEquals(troubles, []);
  };
  const end = () => {
    stopping.abort();
    beacons.close();
    ears.close();
  };
  return {
    ...{ time, clock, host, other, ears, identity, finder, counters, warnings, dialled, state },
    ...{ stopping, beaconOf, run, end },
  };
}

Deno.test("a node announces itself on an interface that comes, unless it is not to", async () => {
  using gate = CryptoGate.install();
  const { finder, host, ears, identity, state, run, end } = await world(gate);
  const heard: Uint8Array[] = [];
  const hearing = (async () => {
    for await (const { bytes } of ears.received()) heard.push(bytes);
  })();
  state.announces = false;
  finder.handleInterfaces(host.interfaces());
  await run(1_000);
  assertEquals(heard.length, 0);
  state.announces = true;
  host.attach("eth0", "lan", ip("10.0.0.1"), ip("fe80::1"));
  finder.handleInterfaces(host.interfaces());
  await run(2_000);
  assert(heard.length >= 3, `${heard.length} beacons`);
  const beacon = decodeBeacon(heard[0] ?? new Uint8Array(0));
  assert(!isDecodeError(beacon));
  assertEquals([beacon.id, beacon.port], [nodeIdToBytes(identity.id), 7411]);
  end();
  await hearing;
});

Deno.test("who is heard is dialled at the sender's address and the beacon's port", async () => {
  using gate = CryptoGate.install();
  const { finder, host, dialled, beaconOf, run, warnings, end } = await world(gate);
  finder.handleInterfaces(host.interfaces());
  await run(100);
  host.hear(await beaconOf(), ip("10.0.0.2"), "eth0");
  await run(200);
  assertEquals(dialled, ["10.0.0.2:7499"]);
  // Its port does not open: that is said in time.
  await run(5_000);
  assertEquals(warnings.all().map(({ code }) => code), ["one-way"]);
  end();
});

Deno.test("once the node stops nothing is dialled any more, and what is under way ends", async () => {
  using gate = CryptoGate.install();
  const { finder, host, dialled, state, time, stopping, run, end } = await world(gate, [
    "10.0.0.7:7411",
    "10.0.0.8:7411",
  ]);
  state.hangs = true;
  finder.handleInterfaces(host.interfaces());
  await run(1_000);
  const before = dialled.length;
  assert(before > 0);
  end();
  assert(stopping.signal.aborted);
  await run(60_000);
  assertEquals(dialled.length, before);
  const address = parseSocketAddress("10.0.0.9:7411");
  assert(address !== undefined);
  assertEquals((await finder.dial(address)).kind, "failed");
  assertEquals(time.pending, 0);
});

Deno.test("beacons that are nothing of ours are counted and lead nowhere", async () => {
  using gate = CryptoGate.install();
  const { finder, host, dialled, beaconOf, run, counters, end } = await world(gate);
  finder.handleInterfaces(host.interfaces());
  host.hear(new Uint8Array(73), ip("10.0.0.2"), "eth0");
  host.hear(await beaconOf(new Uint8Array(16)), ip("10.0.0.2"), "eth0");
  const blinded = (await beaconOf()).slice();
  blinded[22] = 1;
  host.hear(blinded, ip("10.0.0.2"), "eth0");
  await run(500);
  assertEquals(dialled, []);
  assertEquals(counters.of("beacon of another mesh"), 1);
  assertEquals(counters.of("beacon of an unknown member"), 1);
  assertEquals(Object.keys(counters.snapshot()).length, 3);
  end();
});

Deno.test("a flood from one sender costs a bounded number of looks", async () => {
  using gate = CryptoGate.install();
  const { finder, host, beaconOf, run, end } = await world(gate);
  finder.handleInterfaces(host.interfaces());
  await run(1_000);
  const beacon = await beaconOf(undefined, false);
  const before = gate.operations;
  for (let i = 0; i < 5_000; i++) host.hear(beacon, ip("10.0.0.2"), "eth0");
  await run(1_000);
  const operations = gate.operations - before;
  assert(operations > 10 && operations < 100, `${operations} operations`);
  end();
});

Deno.test("neither a solicitation nor a beacon of who is reached costs an HMAC", async () => {
  using gate = CryptoGate.install();
  const { finder, host, beaconOf, run, state, end } = await world(gate);
  finder.handleInterfaces(host.interfaces());
  await run(1_000);
  state.announces = false;
  const [solicitation, beacon] = [await beaconOf(), await beaconOf(undefined, false)];
  const operationsFor = async (heard: typeof beacon) => {
    const before = gate.operations;
    host.hear(heard, ip("10.0.0.2"), "eth0");
    await run(100);
    return gate.operations - before;
  };
  assertEquals(await operationsFor(solicitation), 0);
  assertEquals(await operationsFor(beacon), 1);
  state.isReached = true;
  assertEquals(await operationsFor(beacon), 0);
  end();
});

Deno.test("a dial ends with its time, and with the node", async () => {
  using gate = CryptoGate.install();
  const { finder, time, stopping, state, end } = await world(gate);
  state.hangs = true;
  const outcomes: string[] = [];
  const dial = () => {
    finder.dial({ ip: ip("10.0.0.9"), port: 1 }).then(
      (outcome) => outcomes.push(outcome.kind === "failed" ? outcome.why : outcome.kind),
      (error: unknown) => outcomes.push(`${error}`),
    );
  };
  dial();
  await time.advance(exchangeWait);
  assertEquals(outcomes, ["aborted"]);
  dial();
  await time.advance(seconds(1));
  stopping.abort();
  await time.advance(milliseconds(1));
  assertEquals(outcomes, ["aborted", "aborted"]);
  end();
});

Deno.test("--peer is an address or a name; a name that has none now is warned about and tried again", async () => {
  using gate = CryptoGate.install();
  const peers = ["10.0.0.7:7001", "host.example:7002", "senseless"];
  const { finder, host, dialled, state, warnings, run, end } = await world(gate, peers);
  finder.handleInterfaces(host.interfaces());
  await run(1_000);
  assert(dialled.includes("10.0.0.7:7001"));
  assertEquals(warnings.all().map(({ code }) => code), ["peer-unresolved", "peer-unresolved"]);
  state.ips = [ip("10.0.0.8"), ip("fd00::8")];
  await run(30_000);
  assert(dialled.includes("10.0.0.8:7002") && dialled.includes("[fd00::8]:7002"));
  assertEquals(warnings.all().map(({ message }) => message.includes("senseless")), [true]);
  end();
});

Deno.test("a knock learns whether a port refuses, and ends as soon as it is open", async () => {
  using gate = CryptoGate.install();
  const { finder, state, dialled, end } = await world(gate);
  const at = { ip: ip("10.0.0.9"), port: 1 };
  const knock = async () => {
    const outcome = await finder.knock(at);
    return outcome.kind === "failed" ? outcome.why : outcome.kind;
  };
  assertEquals(await knock(), "refused");
  state.hangs = true;
  assertEquals(await knock(), "aborted");
  assertEquals(dialled.length, 2);
  end();
});
