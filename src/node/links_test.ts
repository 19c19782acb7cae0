import { assert, assertEquals } from "@std/assert";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { CryptoGate } from "../../tests/sim/crypto_gate.ts";
import { MemoryStorage } from "../../tests/sim/memory_storage.ts";
import { plainInfo, RecordAuthor } from "../../tests/sim/record_author.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { provenBy } from "../../tests/fixtures/proven.ts";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { sendingSocket } from "../../tests/fixtures/sending_socket.ts";
import { Counters } from "../base/counters.ts";
import { isDecodeError } from "../base/decode.ts";
import { seconds, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { pendingRepliesMax } from "../session/limits.ts";
import type { ExchangeRole } from "../crypto/mod.ts";
import { EpochKeys } from "../session/mod.ts";
import { mappedLinksMax } from "../sync/limits.ts";
import { Monitor, noAllowance, openRecordLog } from "../sync/mod.ts";
import { decodeDatagram } from "../wire/datagram.ts";
import { encodeInfo } from "../wire/info.ts";
import { decodeRequest, encodeAnswer, type RequestMessage } from "../wire/message.ts";
import type { NodeId } from "../wire/node_id.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { Archive } from "./archive.ts";
import { Asker } from "./asker.ts";
import { Background } from "./background.ts";
import { Gossip } from "./gossip.ts";
import { lettingGoMax, proveStrangerEvery, proveTries, provingMax } from "./limits.ts";
import { Links } from "./links.ts";
import { type Peer, PeerTable } from "./peer.ts";
import { RelayedProbes } from "./relayed_probes.ts";

const selfId = idOf(1);

/** Links among peers that answer pings or nothing at all; `asked` is what each was asked. */
async function linksAmong(gate: CryptoGate, answersPings: boolean, admitsLinks = false) {
  const time = new VirtualTime(() => gate.quiet());
  const clock = new VirtualClock(time);
  const entropy = new SeededEntropy([1]);
  const prng = new Prng([1]);
  const counters = new Counters();
  const background = new Background((what, error) => {
    throw new Error(what, { cause: error });
  });
  const nothing = () => {};
  const remotes = new Map<number, EpochKeys>();
  /** Where peers that dial say that they listen. */
  const state: { listenPort: number | undefined } = { listenPort: undefined };
  const asked: { port: number; request: RequestMessage["kind"] }[] = [];
  const hear = async (port: number, bytes: Uint8Array<ArrayBuffer>) => {
    const keys = remotes.get(port);
    const from = { address: socketAddress(ip("10.0.0.1"), 7411), interfaceName: "eth0" };
    const outcome = await keys?.open(bytes, from, () => true, clock.monotonic());
    if (keys === undefined || outcome?.kind !== "request") return;
    const request = decodeRequest(outcome.request.message);
    if (isDecodeError(request)) return;
    asked.push({ port, request: request.kind });
    if (request.kind !== "ping" || !answersPings) return;
    const pong = encodeAnswer({ kind: "ping", seenIp: ip("10.0.0.1"), seenPort: 7411 });
    const sealed = await keys.sealAnswer(outcome.request, pong);
    const answer = decodeDatagram(sealed);
    if (!isDecodeError(answer) && answer.kind === "answer") {
      await asker.handleAnswer(answer, sealed);
    }
  };
  const socket = sendingSocket(socketAddress(ip("10.0.0.1"), 7411), (bytes, to) => {
    background.own("hear", hear(to.port, bytes));
    return Promise.resolve(true);
  });
  const asker: Asker = new Asker(
    clock,
    counters,
    { socketTowards: () => socket, handleStranger: nothing },
  );
  const peers = new PeerTable(entropy);
  const archive = await Archive.restore(
    await openRecordLog(new MemoryStorage({ prng }), entropy),
    {
      clock,
      counters,
      background,
      store: { selfId, builtAt: wallTime(0) },
      clockSuspect: false,
      owner: {
        handleEquivocation: nothing,
        handleGone: nothing,
        handleLogFailure: nothing,
        handleLogWritten: nothing,
      },
    },
  );
  const gossip = new Gossip({
    selfId,
    clock,
    counters,
    background,
    prng,
    archive,
    asker,
    peers,
    allowance: noAllowance,
    owner: {
      handleOwnRecord: nothing,
      handleStored: nothing,
      isUrgent: () => false,
      handleInStep: nothing,
      handleMuchMissing: () => {},
      mayTakeInBulk: () => false,
      defersComparison: () => false,
    },
  });
  const relayed = new RelayedProbes({
    clock,
    counters,
    prng,
    asker,
    peers,
    socketTowards: () => socket,
    helpersFor: () => [],
  });
  const links = new Links({
    clock,
    counters,
    background,
    prng,
    monitor: new Monitor({ prng }),
    peers,
    asker,
    gossip,
    relayed,
    owner: {
      dial: () => Promise.resolve({ kind: "failed", why: "refused", detail: "closed" }),
      knock: () => Promise.resolve({ kind: "failed", why: "refused", detail: "closed" }),
      listenPortOf: () => state.listenPort,
      addressesOf: () => [],
      isLate: () => false,
      isTranslated: () => true,
      admitsLink: () => admitsLinks,
      handleLinkUp: nothing,
      handleLinkDown: nothing,
      handleSuspect: nothing,
      handleAlive: nothing,
      poke: nothing,
    },
  });
  /** Somebody with whom an exchange was finished and who has no link. */
  const meet = async (number: number): Promise<Peer> => {
    const id: NodeId = idOf(number + 10);
    const port = 10_000 + number;
    const keys = EpochKeys.create(entropy, id, clock.monotonic());
    remotes.set(port, keys);
    const peer = peers.open(id);
    peer.keys.adopt(await keys.grantFor(selfId, clock.monotonic()), clock.monotonic());
    peer.address = socketAddress(ip("10.0.0.2"), port);
    peer.exchanges.accepted = new Uint8Array(32);
    return peer;
  };
  /** An exchange with somebody is finished, dialled from here or by him. */
  const prove = async (number: number, role: ExchangeRole, boot = 1): Promise<Peer> => {
    const author = await RecordAuthor.create(number);
    const port = 10_000 + number;
    const keys = remotes.get(port) ?? EpochKeys.create(entropy, author.id, clock.monotonic());
    remotes.set(port, keys);
    const result = provenBy(author);
    const theirs = {
      ...result.theirs,
      info: await author.sign({ body: encodeInfo(plainInfo(`n${number}`)) }),
      grant: await keys.grantFor(selfId, clock.monotonic()),
      bootNonce: new Uint8Array(16).fill(boot),
    };
    const remote = socketAddress(ip("10.0.0.2"), role === "initiator" ? port : 50_000);
    const local = socketAddress(ip("10.0.0.1"), 7411);
    links.handleProven({ ...result, role, theirs }, { local, remote });
    return peers.open(author.id);
  };
  const askedFor = (kind: RequestMessage["kind"]) =>
    new Set(asked.filter(({ request }) => request === kind).map(({ port }) => port)).size;
  const pings = () => asked.filter(({ request }) => request === "ping").length;
  return { time, links, meet, prove, askedFor, pings, state };
}

Deno.test("newcomers that never answer take half of the requests that may wait, not all", async () => {
  using gate = CryptoGate.install();
  const { time, links, meet, askedFor } = await linksAmong(gate, false);
  for (let i = 0; i < provingMax + 50; i++) links.handleHeard(await meet(i), true);
  await time.advance(seconds(1));
  assertEquals(askedFor("ping"), provingMax);
  assert(provingMax * proveTries <= pendingRepliesMax / 2);
});

Deno.test("of many that get no link a few are brought into step, and all are let go", async () => {
  using gate = CryptoGate.install();
  const { time, links, meet, askedFor } = await linksAmong(gate, true);
  for (let i = 0; i < 40; i++) links.handleHeard(await meet(i), true);
  await time.advance(seconds(1));
  assertEquals(askedFor("compare"), lettingGoMax);
  assertEquals(askedFor("letGo"), 40 - lettingGoMax);
  await time.advance(seconds(60));
  assertEquals(askedFor("letGo"), 40);
});

Deno.test("who asks without a link is proven at intervals, not at every request", async () => {
  using gate = CryptoGate.install();
  const { time, links, meet, pings } = await linksAmong(gate, true);
  const peer = await meet(1);
  links.handleHeard(peer, true);
  await time.advance(seconds(1));
  for (let i = 0; i < 5; i++) links.handleHeard(peer, true);
  await time.advance(seconds(1));
  assertEquals(pings(), 1);
  await time.advance(proveStrangerEvery);
  links.handleHeard(peer, true);
  await time.advance(seconds(1));
  assertEquals(pings(), 2);
});

Deno.test("what comes from a peer that has let go brings no link back at once", async () => {
  using gate = CryptoGate.install();
  const { time, links, meet, pings } = await linksAmong(gate, true, true);
  const peer = await meet(1);
  links.handleHeard(peer, true);
  await time.advance(proveStrangerEvery);
  assert(peer.linked);
  const before = pings();
  links.handleLetGo(peer, new Uint8Array(32).fill(1));
  assert(peer.linked, "that names no exchange of theirs");
  links.handleLetGo(peer, new Uint8Array(32));
  assert(!peer.linked);
  links.handleHeard(peer, true);
  await time.advance(seconds(1));
  assertEquals([peer.linked, pings()], [false, before]);
});

Deno.test("two exchanges that cross prove one link once", async () => {
  using gate = CryptoGate.install();
  const { time, prove, pings } = await linksAmong(gate, false, true);
  for (const role of ["initiator", "responder"] as const) await prove(1, role);
  await time.advance(seconds(60));
  assertEquals(pings(), proveTries);
});

Deno.test("a peer that dials again keeps the address of its link, one that has restarted does not", async () => {
  using gate = CryptoGate.install();
  const { time, prove, state } = await linksAmong(gate, true, true);
  state.listenPort = 10_001;
  const peer = await prove(1, "responder");
  await time.advance(seconds(1));
  assert(peer.linked);
  state.listenPort = 7_777;
  await prove(1, "responder");
  await time.advance(seconds(1));
  assertEquals(peer.address?.port, 10_001);
  await prove(1, "responder", 2);
  await time.advance(seconds(1));
  assertEquals(peer.address?.port, 7_777);
});

Deno.test("the way through a translator is kept open to those that have not dialled here", async () => {
  for (const role of ["initiator", "responder"] as const) {
    using gate = CryptoGate.install();
    const { time, links, prove, state } = await linksAmong(gate, true, true);
    for (let number = 0; number < mappedLinksMax + 1; number++) {
      state.listenPort = 10_000 + number;
      await prove(number, role);
      await time.advance(seconds(1));
    }
    const beyond = links.counts["mapping not kept open"] ?? 0;
    assertEquals(beyond, role === "initiator" ? 1 : 0, role);
  }
});
