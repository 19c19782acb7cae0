import { assert, assertEquals } from "@std/assert";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { ip } from "../../tests/sim/memory_network.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { Counters } from "../base/counters.ts";
import { identityOfSeed } from "../identity/mod.ts";
import type {
  AcceptedConnection,
  DialledConnection,
  PlainAnswer,
  SecureConnectionFacts,
} from "../platform/secure_streams.ts";
import { EpochKeys } from "../session/mod.ts";
import { socketAddress } from "../wire/socket_address.ts";
import { Authenticator, paths } from "./authenticator.ts";

const clock = new VirtualClock(new VirtualTime());
const entropy = new SeededEntropy([1]);
const { signal } = new AbortController();

/** A node's authenticator, and how to reach another's without a network. */
async function node(number: number, bootByte = number) {
  const identity = await identityOfSeed(new Uint8Array(32).fill(number));
  const leaf = await identity.newLeaf();
  const counters = new Counters();
  const accepted: string[] = [];
  const ownIds: Bytes[] = [];
  const records: string[] = [];
  const state = { admits: true, finished: 0 };
  const epochKeys = EpochKeys.create(entropy, identity.id, clock.monotonic());
  // The first epoch's secret is imported in the background: not inside a test that grants nothing.
  await epochKeys.grantFor(identity.id, clock.monotonic());
  let connection: DialledConnection | undefined;
  const authenticator: Authenticator = new Authenticator({
    self: { identity, leafHash: leaf.leafHash, bootNonce: new Uint8Array(16).fill(bootByte) },
    clock,
    entropy,
    dialer: {
      dial: () =>
        Promise.resolve(connection ?? { failed: "refused", detail: "nobody is to be dialled" }),
    },
    counters,
    owner: {
      ownInfo: () => utf8(`info of ${number}`),
      grantFor: (peer) => epochKeys.grantFor(peer, clock.monotonic()),
      admitsAddress: () => state.admits,
      answerRecords: (peer, request) => {
        records.push(peer);
        return request.length > 0 ? request : undefined;
      },
      handleAccepted: ({ peer }) => void accepted.push(peer),
      handleOwnId: (nonce) => void ownIds.push(nonce),
    },
  });
  const chain = { leaf: leaf.leaf, root: leaf.root };
  const reach = (dialled: DialledConnection) => {
    connection = dialled;
  };
  return { identity, authenticator, chain, counters, accepted, ownIds, records, state, reach };
}

type TestNode = Awaited<ReturnType<typeof node>>;

interface Bend {
  /** What the answerer sees of the dialler, and the dialler of the answerer. */
  readonly atAnswerer?: Partial<SecureConnectionFacts>;
  readonly atDialler?: Partial<SecureConnectionFacts>;
  /** Changes what is sent: the request as it arrives. */
  readonly body?: (path: string, body: Bytes) => Bytes;
}

/** A connection from one to the other; what was asked over it. */
function connect(from: TestNode, to: TestNode, bend: Bend = {}) {
  const binding = { kind: 1, client: entropy.bytes(32), server: entropy.bytes(32) } as const;
  const [here, there] = [ip("10.0.0.1"), ip("10.0.0.2")].map((one) => socketAddress(one, 7411));
  assert(here !== undefined && there !== undefined);
  const asked: string[] = [];
  let isClosed = false;
  const close = () => {
    isClosed = true;
  };
  const atAnswerer: AcceptedConnection = {
    chain: from.chain,
    binding,
    local: there,
    remote: here,
    finished: () => void to.state.finished++,
    close,
    ...bend.atAnswerer,
  };
  const request = async (method: string, path: string, body: Bytes = new Uint8Array(0)) => {
    asked.push(`${method} ${path}`);
    const sent = bend.body?.(path, body) ?? body;
    return await to.authenticator.handle(atAnswerer, { method, path, body: sent });
  };
  const dialled: DialledConnection = {
    chain: to.chain,
    binding,
    local: here,
    remote: there,
    request: async (method, path, body): Promise<PlainAnswer> =>
      await request(method, path, body) ?? { status: 400, body: utf8("refused\n") },
    close,
    finished: () => {},
    ...bend.atDialler,
  };
  from.reach(dialled);
  return { there, asked, request, isClosed: () => isClosed };
}

Deno.test("an exchange ends proven at both ends, and the connection is closed", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  const { there, asked, isClosed } = connect(a, b);
  const outcome = await a.authenticator.dial(there, signal);
  assert(outcome.kind === "proven");
  assertEquals(outcome.result.peer, b.identity.id);
  assertEquals(new TextDecoder().decode(outcome.result.theirs.info), "info of 2");
  assertEquals(b.accepted, [a.identity.id]);
  assertEquals([asked, b.state.finished], [[`POST ${paths.exchange}`, `POST ${paths.confirm}`], 1]);
  assert(isClosed());
});

Deno.test("hello tells anyone what and who this is, and everything else is one refusal", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  const stranger = { atAnswerer: { chain: { missing: "no certificate" }, binding: undefined } };
  const { request } = connect(a, b, stranger);
  const hello = await request("GET", paths.hello);
  assertEquals(JSON.parse(new TextDecoder().decode(hello?.body)), {
    product: "mesh",
    protocols: ["mesh/v1"],
    id: b.identity.id,
  });
  for (const path of [paths.exchange, paths.confirm, "/", "/mesh/v1/hello/"]) {
    for (const method of ["GET", "POST", "PUT"]) {
      assertEquals(await request(method, path, new Uint8Array(99)), undefined);
    }
  }
  assertEquals(await request("POST", paths.hello), undefined);
  assertEquals(b.accepted, []);
});

Deno.test("one connection carries one exchange, each message once and in order", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  const bodies = new Map<string, Bytes>();
  const { there, request } = connect(a, b, {
    body: (path, body) => {
      bodies.set(path, body);
      return body;
    },
  });
  assertEquals(await request("POST", paths.confirm, new Uint8Array(99)), undefined);
  assert((await a.authenticator.dial(there, signal)).kind === "proven");
  const [m1, m3] = [bodies.get(paths.exchange), bodies.get(paths.confirm)];
  assert(m1 !== undefined && m3 !== undefined);
  assertEquals(await request("POST", paths.exchange, m1), undefined);
  assertEquals(await request("POST", paths.confirm, m3), undefined);
  assertEquals(b.accepted.length, 1);
  // Two first messages at once are one exchange, too.
  const again = connect(a, b);
  const both = await Promise.all([1, 2].map(() => again.request("POST", paths.exchange, m1)));
  assertEquals(both.filter((answer) => answer !== undefined).length, 1);
});

Deno.test("records are given on the connection that finished its exchange, and on no other", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  const other = connect(a, b);
  let m1: Bytes | undefined;
  const { there, request, isClosed } = connect(a, b, {
    body: (path, body) => {
      if (path === paths.exchange) m1 = body;
      return body;
    },
  });
  const asked = utf8("some records");
  assertEquals(await request("POST", paths.records, asked), undefined);
  let answer: Bytes | undefined;
  const outcome = await a.authenticator.dial(there, signal, undefined, async (proven) => {
    assertEquals([proven.result.peer, isClosed()], [b.identity.id, false]);
    answer = await proven.askRecords(asked, signal, 1_000);
    assertEquals(await proven.askRecords(new Uint8Array(0), signal, 1_000), undefined);
  });
  assertEquals([outcome.kind, answer, isClosed()], ["proven", asked, true]);
  assertEquals(b.records, [a.identity.id, a.identity.id]);
  assertEquals(await request("GET", paths.records, asked), undefined);
  // The same node over a connection of its own has proven nothing there; nor after m2 alone.
  assertEquals(await other.request("POST", paths.records, asked), undefined);
  assertEquals((await other.request("POST", paths.exchange, m1))?.status, 200);
  assertEquals(await other.request("POST", paths.records, asked), undefined);
  b.state.admits = false;
  assertEquals(await request("POST", paths.records, asked), undefined);
  assertEquals(b.records.length, 2);
});

Deno.test("two connections that somebody spliced prove nothing", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  const binding = { kind: 1, client: entropy.bytes(32), server: entropy.bytes(32) } as const;
  const { there } = connect(a, b, { atAnswerer: { binding } });
  assertEquals((await a.authenticator.dial(there, signal)).kind, "failed");
  assertEquals(b.accepted, []);
});

Deno.test("nothing is said to a node whose chain or connection cannot be judged", async () => {
  const [a, b, c] = await Promise.all([node(1), node(2), node(3)]);
  const mixed = { leaf: b.chain.leaf, root: c.chain.root };
  for (
    const atDialler of [
      { chain: { missing: "no certificate" } },
      { chain: mixed },
      { binding: undefined },
    ]
  ) {
    const { there, asked } = connect(a, b, { atDialler });
    const outcome = await a.authenticator.dial(there, signal);
    assert(outcome.kind === "failed" && outcome.why === "rejected");
    assertEquals(asked, []);
  }
  const reasons = Object.keys(a.counters.snapshot());
  assertEquals([reasons.length, reasons.every((one) => one.startsWith("chain: "))], [3, true]);
});

Deno.test("an address that is not wanted gets the refusal of everything", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  b.state.admits = false;
  const { there } = connect(a, b);
  assertEquals((await a.authenticator.dial(there, signal)).kind, "failed");
  assertEquals(b.accepted, []);
});

Deno.test("another node under one's own key is told from oneself by its boot nonce, at both ends", async () => {
  const [a, twin] = await Promise.all([node(1, 5), node(1, 6)]);
  const { there } = connect(a, twin);
  const outcome = await a.authenticator.dial(there, signal);
  assert(outcome.kind === "own id", JSON.stringify(outcome));
  assertEquals(outcome.bootNonce, new Uint8Array(16).fill(6));
  assertEquals(twin.ownIds, [new Uint8Array(16).fill(5)]);
  assertEquals([twin.accepted, twin.state.finished], [[], 0]);
});

Deno.test("a message that was touched on the way ends the exchange without a word of why", async () => {
  const [a, b] = await Promise.all([node(1), node(2)]);
  for (const touched of [paths.exchange, paths.confirm]) {
    const { there } = connect(a, b, {
      body: (path, body) => {
        if (path !== touched) return body;
        const turned = body.slice();
        turned[turned.length - 3] = (turned[turned.length - 3] ?? 0) ^ 1;
        return turned;
      },
    });
    const outcome = await a.authenticator.dial(there, signal);
    assertEquals(outcome.kind, "failed");
  }
  assertEquals([a.accepted, b.accepted, b.state.finished], [[], [], 0]);
});
