import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { CryptoGate } from "../../tests/sim/crypto_gate.ts";
import { MemoryStorage } from "../../tests/sim/memory_storage.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import type { Bytes } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { type Duration, milliseconds, seconds, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { noAllowance, openRecordLog } from "../sync/mod.ts";
import { encodeInfo } from "../wire/info.ts";
import type { AnswerMessage, OfferRequest, PushRequest, RequestMessage } from "../wire/message.ts";
import type { NodeId } from "../wire/node_id.ts";
import { offerOf } from "../wire/offer.ts";
import { Archive } from "./archive.ts";
import { Asker, type AskOutcome } from "./asker.ts";
import { Background } from "./background.ts";
import { Gossip } from "./gossip.ts";
import { type Peer, PeerTable } from "./peer.ts";

const begins = Date.UTC(2026, 6, 1);
const bytesMax = 1_100;

/** Asks without datagrams: hands the request over and the answer back, a millisecond each way. */
class StraightAsker extends Asker {
  readonly asked: { readonly kind: RequestMessage["kind"]; readonly to: NodeId }[] = [];
  answerTo: (request: RequestMessage, to: NodeId) => Promise<AnswerMessage | undefined> = () =>
    Promise.resolve(undefined);
  readonly #time: VirtualTime;

  constructor(time: VirtualTime, clock: VirtualClock) {
    const owner = { socketTowards: () => undefined, handleStranger: () => {} };
    super(clock, new Counters(), owner);
    this.#time = time;
  }

  override async tell(peer: Peer, message: OfferRequest | PushRequest): Promise<void> {
    await this.ask(peer, message);
  }

  override async ask(peer: Peer, request: RequestMessage): Promise<AskOutcome> {
    this.asked.push({ kind: request.kind, to: peer.id });
    await this.#time.passed(milliseconds(1));
    const answer = await this.answerTo(request, peer.id);
    await this.#time.passed(milliseconds(1));
    return answer === undefined ? { kind: "silent" } : { kind: "answer", answer, roundTripMs: 2 };
  }
}

async function side(time: VirtualTime, number: number) {
  const clock = new VirtualClock(time, { wallOrigin: wallTime(begins) });
  const counters = new Counters();
  const told: string[] = [];
  const background = new Background((what, error) => told.push(`${what}: ${error}`));
  const self = await RecordAuthor.create(number);
  const entropy = new SeededEntropy([number]);
  const storage = new MemoryStorage({ prng: new Prng([number]) });
  const archive = await Archive.restore(await openRecordLog(storage, entropy), {
    clock,
    counters,
    background,
    store: { selfId: self.id, builtAt: wallTime(0) },
    clockSuspect: false,
    owner: {
      handleEquivocation: () => {},
      handleGone: () => {},
      handleLogFailure: () => {},
      handleLogWritten: () => {},
    },
  });
  const asker = new StraightAsker(time, clock);
  const peers = new PeerTable(entropy);
  let inStep = 0;
  const own: number[] = [];
  const urgent = new Set<number>();
  const gossip = new Gossip({
    selfId: self.id,
    clock,
    counters,
    background,
    prng: new Prng([number, 2]),
    archive,
    asker,
    peers,
    allowance: noAllowance,
    owner: {
      handleOwnRecord: ({ serial }) => void own.push(serial),
      handleStored: () => {},
      isUrgent: ({ serial }) => urgent.has(serial),
      handleInStep: () => void inStep++,
      handleMuchMissing: () => {},
      mayTakeInBulk: () => false,
      defersComparison: () => false,
    },
  });
  /** What it answers to the peer of that id. */
  const answer = async (
    from: RecordAuthor,
    request: RequestMessage,
  ): Promise<AnswerMessage | undefined> => {
    const peer = peers.open(from.id);
    switch (request.kind) {
      case "probe":
        return await gossip.answerProbe(request);
      case "compare":
        return await gossip.answerCompare(peer, request, bytesMax);
      case "fetch":
        return gossip.answerFetch(request.keys, bytesMax);
      case "offer":
        gossip.handleOffers(peer, request.offers);
        return { kind: "offer" };
      case "push":
        return { kind: "push", accepted: await gossip.handlePushed(peer, request.records) };
      default:
        return undefined;
    }
  };
  /** Lets what is due happen. */
  const pump = () => {
    const due = gossip.nextTimeout();
    if (due !== undefined && due <= clock.monotonic()) gossip.handleTimeout(clock.monotonic());
  };
  const hold = async (author: RecordAuthor, serial: number) => {
    const body = encodeInfo(plainInfo(`node ${serial}`));
    const bytes = await author.sign({ serial, signedAt: begins, body });
    const received = await archive.receive(bytes);
    assert(received.kind === "stored");
    return received.record;
  };
  const serials = () => [...archive.store.records()].map((one) => one.serial).sort((a, b) => a - b);
  return {
    ...{ clock, counters, told, self, archive, asker, peers, gossip, answer, pump, hold, serials },
    ...{ own, urgent, background },
    inStep: () => inStep,
  };
}

type Side = Awaited<ReturnType<typeof side>>;

async function world(gate: CryptoGate, count = 2) {
  const time = new VirtualTime(() => gate.quiet());
  const sides: Side[] = [];
  for (let number = 1; number <= count; number++) sides.push(await side(time, number));
  const [one, two] = sides;
  assert(one !== undefined && two !== undefined);
  one.asker.answerTo = (request) => two.answer(one.self, request);
  two.asker.answerTo = (request) => one.answer(two.self, request);
  const authors: RecordAuthor[] = [];
  for (let number = 100; number < 140; number++) authors.push(await RecordAuthor.create(number));
  /** Runs with the pumps of all. */
  const run = async (length: Duration) => {
    for (let passed = 0; passed < length; passed += 10) {
      await time.advance(milliseconds(10));
      for (const each of sides) each.pump();
    }
    for (const each of sides) assertEquals(each.told, []);
  };
  const link = (a: Side, b: Side) => {
    const peer = a.peers.open(b.self.id);
    peer.dialled = true;
    a.peers.link(peer);
    a.gossip.handleLink(peer);
  };
  return { time, one, two, sides, authors, run, link };
}

Deno.test("a new link brings both into step, whoever held what", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors, run, link } = await world(gate);
  for (const [i, author] of authors.entries()) await (i % 3 === 0 ? two : one).hold(author, i + 1);
  link(one, two);
  link(two, one);
  await run(seconds(3));
  assertEquals(one.serials(), authors.map((_, i) => i + 1));
  assertEquals(two.serials(), one.serials());
  assert(one.inStep() > 0 && two.inStep() > 0);
  assertEquals(one.counters.of("record not asked for"), 0);
});

Deno.test("of two that begin a link the one that dialled compares", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors, run, link } = await world(gate);
  for (const [i, author] of authors.entries()) await (i % 3 === 0 ? two : one).hold(author, i + 1);
  const accepted = two.peers.open(one.self.id);
  two.peers.link(accepted);
  two.gossip.handleLink(accepted);
  await run(seconds(1));
  assertEquals(two.asker.asked, []);
  link(one, two);
  await run(seconds(3));
  assertEquals(two.serials(), one.serials());
});

Deno.test("an offer is fetched by who lacks it", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors, run, link } = await world(gate);
  link(one, two);
  link(two, one);
  await run(seconds(1));
  two.asker.asked.length = 0;
  const [author] = authors;
  assert(author !== undefined);
  const record = await one.hold(author, 7);
  two.gossip.handleOffers(two.peers.open(one.self.id), [offerOf(record)]);
  await run(milliseconds(20));
  assertEquals(two.serials(), [7]);
  assertEquals(two.asker.asked.map(({ kind }) => kind), ["fetch"]);
});

Deno.test("an own change goes with its body and at once", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors, run, link } = await world(gate);
  link(one, two);
  await run(seconds(1));
  one.asker.asked.length = 0;
  const [author] = authors;
  assert(author !== undefined);
  one.gossip.tell(await one.hold(author, 7), false);
  await run(milliseconds(20));
  assertEquals(two.serials(), [7]);
  assertEquals(one.asker.asked.map(({ kind }) => kind), ["push"]);
});

Deno.test("what is pushed is told on, but not back to whom it came from", async () => {
  using gate = CryptoGate.install();
  const { one, two, sides, authors, run, link } = await world(gate, 3);
  const [, , three] = sides;
  assert(three !== undefined);
  two.asker.answerTo = (request, to) =>
    (to === one.self.id ? one : three).answer(two.self, request);
  three.asker.answerTo = (request) => two.answer(three.self, request);
  for (const [a, b] of [[one, two], [two, one], [two, three], [three, two]] as const) link(a, b);
  await run(seconds(1));
  two.asker.asked.length = 0;
  const [author] = authors;
  assert(author !== undefined);
  const bytes = await author.sign({ serial: 7, signedAt: begins });
  const from = two.peers.open(one.self.id);
  await one.archive.receive(bytes);
  assertEquals(await two.gossip.handlePushed(from, [bytes]), 1);
  assertEquals(await two.gossip.handlePushed(from, [bytes]), 0);
  await run(milliseconds(1_500));
  assertEquals(two.asker.asked.map(({ kind, to }) => [kind, to]), [["push", three.self.id]]);
  assertEquals(three.serials(), [7]);
});

Deno.test("a fetch goes on behind records that came another way meanwhile", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors, run } = await world(gate);
  const eight = authors.slice(0, 8);
  for (const [i, author] of eight.entries()) await two.hold(author, i + 1);
  const all = [...two.archive.store.records()];
  one.asker.answerTo = async (request) => {
    const answer = await two.answer(one.self, request);
    // What comes in this answer a push has just brought.
    if (answer?.kind === "fetch" && one.serials().length === 0) {
      await one.gossip.handlePushed(one.peers.open(two.self.id), answer.records);
    }
    return answer;
  };
  const peer = one.peers.open(two.self.id);
  one.gossip.compareOnce(peer).catch((error: unknown) => one.told.push(`${error}`));
  await run(milliseconds(300));
  assertEquals(one.serials().length, all.length);
  // One pass finds them all, one more sees that nothing is missing.
  const asked = one.asker.asked.map(({ kind }) => kind);
  assertEquals(asked.filter((kind) => kind === "compare").length, 2, asked.join(" "));
  assertEquals(one.counters.snapshot(), { "reconciliation: equal": 1 });
});

Deno.test("who sends a record that is held already is not offered it", async () => {
  using gate = CryptoGate.install();
  const { one, two, sides, authors, run, link } = await world(gate, 3);
  const [, , three] = sides;
  const [author] = authors;
  assert(author !== undefined && three !== undefined);
  one.asker.answerTo = () => Promise.resolve({ kind: "push", accepted: 0 });
  link(one, two);
  link(one, three);
  await run(seconds(1));
  one.asker.asked.length = 0;
  // Too long for its body to go on, so it waits for its turn, and the second copy comes first.
  const labels = new Map(Array.from({ length: 8 }, (_, i) => [`label ${i}`, "x".repeat(40)]));
  const bytes = await author.sign({
    serial: 7,
    signedAt: begins,
    body: encodeInfo({ ...plainInfo("long"), labels }),
  });
  await one.gossip.handlePushed(one.peers.open(two.self.id), [bytes]);
  await one.gossip.handlePushed(one.peers.open(three.self.id), [bytes]);
  await run(milliseconds(500));
  assertEquals(one.asker.asked, []);
});

Deno.test("records that one neighbour pushes faster than they can be judged are shed, not others'", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors } = await world(gate);
  const bodies: Bytes[] = [];
  for (const author of authors) bodies.push(await author.sign({ serial: 1, signedAt: begins }));
  const [other, ...flood] = bodies;
  assert(other !== undefined);
  const from = one.peers.open(two.self.id);
  const accepted = await Promise.all([
    one.gossip.handlePushed(from, flood),
    one.gossip.handlePushed(from, flood),
    one.gossip.handlePushed(one.peers.open(one.self.id), [other]),
  ]);
  assertEquals(accepted, [flood.length, 0, 1]);
  assertEquals(one.counters.of("pushed records over one neighbour's share"), 1);
  // What was judged makes room again.
  assertEquals(await one.gossip.handlePushed(from, flood), 0);
  assertEquals(one.counters.of("pushed records over one neighbour's share"), 1);
});

Deno.test("a link whose tells cannot be read is compared with, once in ten seconds", async () => {
  using gate = CryptoGate.install();
  const { one, two, run, link } = await world(gate);
  const peer = one.peers.open(two.self.id);
  one.gossip.handleUnread(peer);
  await run(seconds(1));
  assertEquals(one.asker.asked, [], "no link, no comparison");
  link(one, two);
  await run(seconds(1));
  one.asker.asked.length = 0;
  for (let i = 0; i < 50; i++) {
    one.gossip.handleUnread(peer);
    await run(milliseconds(100));
  }
  assertEquals(one.asker.asked.map(({ kind }) => kind), ["compare"]);
  await run(seconds(5));
  one.gossip.handleUnread(peer);
  await run(milliseconds(100));
  assertEquals(one.asker.asked.length, 2);
});

Deno.test("own records that come from outside are judged, new or not", async () => {
  using gate = CryptoGate.install();
  const { one, two } = await world(gate);
  const from = one.peers.open(two.self.id);
  const bytes = await one.self.sign({ serial: 70, signedAt: begins });
  const older = await one.self.sign({ serial: 60, signedAt: begins });
  await one.gossip.handlePushed(from, [bytes]);
  await one.gossip.handlePushed(from, [older]);
  assertEquals(one.own, [70, 60]);
});

Deno.test("a peer that does not answer costs one comparison in two seconds", async () => {
  using gate = CryptoGate.install();
  const { one, two, authors, run } = await world(gate);
  const [author] = authors;
  assert(author !== undefined);
  await two.hold(author, 1);
  one.asker.answerTo = () => Promise.resolve(undefined);
  const peer = one.peers.open(two.self.id);
  one.peers.link(peer);
  const [ours, theirs] = await Promise.all([one.gossip.probe(), two.gossip.probe()]);
  for (let i = 0; i < 50; i++) {
    one.gossip.handleProbed(peer, ours, theirs);
    await run(milliseconds(100));
  }
  const compares = one.asker.asked.filter(({ kind }) => kind === "compare").length;
  assert(compares >= 1 && compares <= 3, `${compares}`);
  assertEquals(one.inStep(), 0);
  one.gossip.handleProbed(peer, ours, ours);
  assertEquals(one.inStep(), 1);
});
