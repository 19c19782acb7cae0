/**
 * Datagrams against real nodes: replayed, reordered, forged, and sent to make a node shout at
 * somebody else.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, utf8 } from "../../src/base/bytes.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import { Prng } from "../../src/base/prng.ts";
import { encodeCbor } from "../../src/wire/cbor.ts";
import {
  datagramBytesMax,
  decodeDatagram,
  encodeWhoAreYou,
  requestOverhead,
  whoAreYouLength,
} from "../../src/wire/datagram.ts";
import { allKinds, keyBound } from "../../src/wire/key_range.ts";
import { encodeRequest, type RequestMessage } from "../../src/wire/message.ts";
import type { NodeId } from "../../src/wire/node_id.ts";
import { infoKind, type RecordKey, recordKey } from "../../src/wire/record_key.ts";
import { attacksOnOnePair, infoHeldBy } from "./adversary/honest_pair.ts";
import { infoOf, isAnswerTo, type Met, Rogue } from "./adversary/rogue.ts";
import { ipOf, UdpPort } from "./adversary/udp_port.ts";
import { pause } from "../../scripts/eventually.ts";
import { eventually } from "./eventually.ts";
import type { NodeProcess } from "./node_process.ts";

const attack = attacksOnOnePair();
const noSubject = new Uint8Array(0);
/** Long enough for whatever a burst makes a node send to arrive. */
const quietMs = 400;

function keyOf(kind: number, id: NodeId): RecordKey {
  return recordKey(kind, id, noSubject);
}

async function fetched(met: Met, key: RecordKey): Promise<readonly Bytes[]> {
  const answer = await met.ask({ kind: "fetch", keys: [key] });
  assert(answer?.kind === "fetch", "a fetch is answered");
  return answer.records;
}

async function isLinked(node: NodeProcess, id: NodeId): Promise<boolean> {
  return (await node.links()).some((link) => link.id === id);
}

attack(
  "a rogue that proves itself is known by its own id and nothing else",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    assertEquals(met.result.peer, pair.a.id);
    assertEquals((await met.ask({ kind: "ping" }))?.kind, "ping");
  },
);

attack(
  "a push replayed from its own and from other addresses does not bring an older record back",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    const key = keyOf(9, rogue.id);
    const older = await rogue.sign({ kind: 9, serial: 1, body: "older" });
    const newer = await rogue.sign({ kind: 9, serial: 2, body: "newer" });
    assertEquals(await met.ask({ kind: "push", records: [older] }), { kind: "push", accepted: 1 });
    const captured = met.sent.slice();
    assertEquals(await met.ask({ kind: "push", records: [newer] }), { kind: "push", accepted: 1 });
    const elsewhere = stack.use(new UdpPort("127.0.0.9"));
    for (let times = 0; times < 50; times++) {
      for (const bytes of captured.toReversed()) {
        await rogue.udp.send(bytes, met.address);
        await elsewhere.send(bytes, met.address);
      }
    }
    await pause(quietMs);
    assertEquals(await fetched(met, key), [newer]);
    // The copies from elsewhere were answered, if at all, with less than they cost.
    const longest = Math.max(...captured.map(({ length }) => length));
    for (const { bytes } of elsewhere.heard) assert(bytes.length <= longest);
  },
);

attack(
  "a good-bye replayed after the peer has proven itself again ends nothing",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const { a } = pair;
    const before = await rogue.linkWith(a);
    assertEquals(
      (await before.ask({ kind: "leaving", bootNonce: rogue.bootNonce }))?.kind,
      "leaving",
    );
    await eventually("the rogue is gone", async () => !await isLinked(a.process, rogue.id));
    const captured = before.sent.slice();
    await rogue.linkWith(a);
    const eventsBefore = a.events.length;
    for (let times = 0; times < 20; times++) {
      for (const bytes of captured) await rogue.udp.send(bytes, before.address);
    }
    await pause(quietMs);
    assert(await isLinked(a.process, rogue.id));
    // Others may go meanwhile: those of attacks that are over.
    const down = a.events.slice(eventsBefore).filter(({ event, id }) =>
      event === "link-down" && id === rogue.id
    );
    assertEquals(down, []);
  },
);

attack(
  "answers replayed to the one who asked are believed once",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    await rogue.linkWith(pair.a);
    const elsewhere = stack.use(new UdpPort("127.0.0.9"));
    const to = { ip: ipOf("127.0.0.1"), port: pair.a.port };
    assert(rogue.answered.length > 0);
    for (let times = 0; times < 50; times++) {
      for (const bytes of rogue.answered.slice()) {
        await rogue.udp.send(bytes, to);
        await elsewhere.send(bytes, to);
      }
    }
    assert(await isLinked(pair.a.process, rogue.id));
  },
);

attack(
  "who-are-yous that echo nothing make no node do anything",
  async ({ pair, stack }) => {
    const port = stack.use(new UdpPort("127.0.0.9"));
    for (const { port: to } of pair.both) {
      for (let times = 0; times < 1_000; times++) {
        const nonce = crypto.getRandomValues(new Uint8Array(12));
        await port.send(encodeWhoAreYou(nonce), { ip: ipOf("127.0.0.1"), port: to });
      }
    }
    await pause(quietMs);
    assertEquals(port.heard, []);
  },
);

attack(
  "who-are-yous that echo every request cost one exchange in ten seconds, and no link",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create({ dialable: true }));
    allow(rogue.id);
    const met = await rogue.linkWith(pair.a);
    let echoed = 0;
    rogue.onRequest = ({ bytes, from }) => {
      const request = decodeDatagram(bytes);
      if (isDecodeError(request) || request.kind !== "request") return;
      echoed++;
      void rogue.udp.send(encodeWhoAreYou(request.nonce), from);
    };
    const startedAt = performance.now();
    // Each made-up offer makes the node ask for the record.
    for (let serial = 1; serial <= 30; serial++) {
      const hashPrefix = crypto.getRandomValues(new Uint8Array(16));
      const offers = [{ key: keyOf(9, rogue.id), serial, hashPrefix }];
      assertEquals((await met.ask({ kind: "offer", offers }))?.kind, "offer");
    }
    assert(echoed >= 10, `only ${echoed} requests came`);
    const allowedExchanges = 1 + Math.floor((performance.now() - startedAt) / 10_000);
    assert(rogue.accepted <= allowedExchanges, `${rogue.accepted} exchanges`);
    assert(await isLinked(pair.a.process, rogue.id));
  },
);

attack(
  "a good-bye in another's name, by boot nonce or exchange, ends nobody's link",
  async ({ pair, stack, allow }) => {
    const { bootNonce } = infoOf(await infoHeldBy(pair.a.process, pair.b.id));
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.linkWith(pair.a);
    for (const request of inTheNameOf(bootNonce, met.result.hash)) {
      assertEquals((await met.ask(request))?.kind, request.kind);
    }
    // Its own link is untouched too: nothing named it.
    assert(await isLinked(pair.a.process, rogue.id));
  },
);

function inTheNameOf(bootNonce: Bytes, ownHash: Bytes): RequestMessage[] {
  return [
    { kind: "leaving", bootNonce },
    { kind: "restarting", bootNonce },
    { kind: "letGo", exchangeHash: new Uint8Array(32) },
    { kind: "letGo", exchangeHash: ownHash.map((byte) => byte ^ 1) },
  ];
}

attack(
  "a rogue that takes another's boot nonce for its own can end its own link only",
  async ({ pair, stack, allow }) => {
    const { bootNonce } = infoOf(await infoHeldBy(pair.a.process, pair.b.id));
    const rogue = stack.use(await Rogue.create({ bootNonce }));
    allow(rogue.id);
    const met = await rogue.linkWith(pair.a);
    assertEquals((await met.ask({ kind: "leaving", bootNonce }))?.kind, "leaving");
    await eventually("the rogue is gone", async () => !await isLinked(pair.a.process, rogue.id));
  },
);

attack(
  "a good-bye sealed for one node and sent to another is not even opened",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    const { bootNonce } = infoOf(await infoHeldBy(pair.a.process, pair.a.id));
    await met.ask({ kind: "leaving", bootNonce });
    const port = stack.use(new UdpPort());
    const to = { ip: ipOf("127.0.0.1"), port: pair.b.port };
    for (const bytes of met.sent) await port.send(bytes, to);
    await eventually("both are answered", () => port.heard.length >= met.sent.length);
    for (const { bytes } of port.heard) assertEquals(bytes.length, whoAreYouLength);
  },
);

attack(
  "a peer that claims to live at another's address gains nothing and harms nobody",
  async ({ pair, stack, allow }) => {
    const claimed = { ip: ipOf("127.0.0.1"), port: pair.b.port, scope: "loopback" as const };
    const rogue = stack.use(await Rogue.create({ info: { endpoints: [claimed] } }));
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    assertEquals((await met.ask({ kind: "ping" }))?.kind, "ping");
    await pause(quietMs);
    const links = await pair.a.process.links();
    const address = links.find(({ id }) => id === rogue.id)?.address;
    assert(address !== `127.0.0.1:${pair.b.port}`, "the rogue is linked at another's address");
  },
);

attack(
  "what is not authentic is answered with fourteen bytes or nothing",
  async ({ pair, stack }) => {
    const prng = new Prng([20261122]);
    const port = stack.use(new UdpPort("127.0.0.9"));
    const to = { ip: ipOf("127.0.0.1"), port: pair.a.port };
    let sentOf126 = 0;
    for (let times = 0; times < 600; times++) {
      const bytes = Uint8Array.from(
        { length: prng.below(datagramBytesMax + 8) },
        () => prng.below(256),
      );
      if (bytes.length > 1 && times % 2 === 0) bytes.set([1, prng.below(5)], 0);
      if (bytes.length >= requestOverhead) sentOf126++;
      await port.send(bytes, to);
    }
    await pause(quietMs);
    assert(port.heard.length > 0, "a request of no epoch is answered");
    assert(port.heard.length <= sentOf126);
    for (const { bytes } of port.heard) {
      assertEquals(bytes.length, whoAreYouLength);
      assertEquals([...bytes.subarray(0, 2)], [1, 3]);
    }
  },
);

attack(
  "genuine datagrams with any one bit changed are not answered as genuine",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    const port = stack.use(new UdpPort("127.0.0.9"));
    const { bytes } = await met.seal(encodeRequest({ kind: "ping" }), "none");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await port.send(changed, met.address);
      // A rest now and then, so that none is lost to a full buffer.
      if (bit % 100 === 0) await pause(10);
    }
    await pause(quietMs);
    assert(port.heard.length > 0, "another epoch is asked who it is");
    for (const heard of port.heard) assertEquals(heard.bytes.length, whoAreYouLength);
  },
);

attack(
  "without a right cookie no answer is longer than its request, whatever is asked",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    await met.ask({ kind: "ping" }); // Now there is a cookie, for the rogue's first socket.
    const keys = pair.both.map(({ id }) => keyOf(infoKind, id));
    const everything = {
      low: keyBound(noSubject),
      high: undefined,
      fingerprint: new Uint8Array(16),
    };
    const record = await rogue.sign({ kind: 9, serial: 7, body: "x".repeat(600) });
    const requests: readonly RequestMessage[] = [
      { kind: "ping" },
      { kind: "probe", kinds: allKinds, digest: new Uint8Array(16) },
      { kind: "compare", kinds: allKinds, ranges: [everything], held: 1 },
      { kind: "fetch", keys },
      { kind: "offer", offers: [] },
      { kind: "push", records: [record] },
      { kind: "leaving", bootNonce: rogue.bootNonce },
    ];
    const messages: readonly Bytes[] = [
      ...requests.map(encodeRequest),
      encodeCbor([77, "what no version knows"]),
      encodeCbor([4]),
      utf8("no message"),
      new Uint8Array(0),
    ];
    for (const cookiePath of ["none", met.pathOf(rogue.udp)]) {
      for (const message of messages) {
        const port = stack.use(new UdpPort("127.0.0.9"));
        const { bytes, pending } = await met.seal(message, cookiePath);
        await port.send(bytes, met.address);
        const heard = await port.take((one) => isAnswerTo(one.bytes, pending.replyTag), 2_000);
        assert(heard !== undefined, "an authentic request is answered");
        assert(
          heard.bytes.length <= bytes.length,
          `${heard.bytes.length} bytes for ${bytes.length}`,
        );
        await pause(20);
        assertEquals(port.heard, [], "one request, one answer");
      }
    }
    // The push above came without a right cookie: it must not have been taken.
    assertEquals(await fetched(met, keyOf(9, rogue.id)), []);
  },
);

attack(
  "an authentic request from another time is told the time in fewer bytes than it has",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    const { bytes, pending } = await met.sealAt(encodeRequest({ kind: "ping" }), 3_600_000);
    const port = stack.use(new UdpPort("127.0.0.9"));
    for (let times = 0; times < 20; times++) await port.send(bytes, met.address);
    await eventually("all are answered", () => port.heard.length === 20);
    for (const heard of port.heard) {
      assert(isAnswerTo(heard.bytes, pending.replyTag));
      assert(heard.bytes.length <= bytes.length);
    }
    assertEquals(new Set(port.heard.map((heard) => concatBytes(heard.bytes).join())).size, 20);
  },
);
