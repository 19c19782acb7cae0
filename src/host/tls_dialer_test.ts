import { assert, assertEquals, assertRejects, fail } from "@std/assert";
import { connect as connectTls } from "node:tls";
import { chainOne, chainTwo } from "../../tests/fixtures/tls_chains.ts";
import { type Bytes, equalBytes, toHex, utf8 } from "../base/bytes.ts";
import { milliseconds } from "../base/instant.ts";
import { invariant } from "../base/invariant.ts";
import { parseIp } from "../base/ip.ts";
import { decodeBase64 } from "../std/encoding.ts";
import type {
  AcceptedConnection,
  DialFailure,
  DialledConnection,
  PlainRequest,
  SecureConnectionFacts,
  SecureHandler,
} from "../platform/secure_streams.ts";
import type { SocketAddress } from "../wire/socket_address.ts";
import { bulkPageBytesMax } from "../wire/limits.ts";
import { DIAL_TURNS } from "./limits.ts";
import { SystemClock } from "./system_clock.ts";
import { TlsDialer } from "./tls_dialer.ts";
import { ListenError, listenTls, type ListenTlsOptions } from "./tls_listener.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

const clock = new SystemClock();
const never = new AbortController().signal;

function loopback(port: number, text = "127.0.0.1"): SocketAddress {
  const ip = parseIp(text);
  invariant(ip !== undefined, "an address of a test is one");
  return { ip, port };
}

function derOf(pem: string): Bytes {
  return decodeBase64(pem.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""));
}

function connected(result: DialledConnection | DialFailure): DialledConnection {
  if ("failed" in result) fail(`not connected: ${result.failed}, ${result.detail}`);
  return result;
}

function chainIn(facts: SecureConnectionFacts): readonly [string, string] {
  if ("missing" in facts.chain) fail(`no chain: ${facts.chain.missing}`);
  return [toHex(facts.chain.leaf), toHex(facts.chain.root)];
}

function listen(handler: SecureHandler, options: Partial<ListenTlsOptions> = {}) {
  return listenTls({ clock, credentials: chainOne, port: 0, ...options }, handler);
}

const echo: SecureHandler = (_, request) => Promise.resolve({ status: 200, body: request.body });

function dialer(options = {}) {
  return new TlsDialer({ clock, credentials: chainTwo, ...options });
}

Deno.test("both sides see the other's certificates byte for byte and the same binding", async () => {
  const seen: AcceptedConnection[] = [];
  const listener = await listen((connection, request) => {
    seen.push(connection);
    return echo(connection, request);
  });
  const connection = connected(await dialer().dial(loopback(listener.port), never));
  await connection.request("POST", "/x", utf8("abc"), never);
  const accepted = seen[0] ?? fail("nobody came");
  assertEquals(chainIn(connection), [
    toHex(derOf(chainOne.leafPem)),
    toHex(derOf(chainOne.rootPem)),
  ]);
  assertEquals(chainIn(accepted), [
    toHex(derOf(chainTwo.leafPem)),
    toHex(derOf(chainTwo.rootPem)),
  ]);
  const [ours, theirs] = [connection.binding, accepted.binding];
  assert(ours !== undefined && theirs !== undefined);
  assert(equalBytes(ours.client, theirs.client) && equalBytes(ours.server, theirs.server));
  assert(!equalBytes(ours.client, ours.server));
  assertEquals(accepted.remote, connection.local);
  assertEquals(accepted.local, connection.remote);
  connection.close();
  await listener.close();
});

Deno.test("no two connections share a binding, and none is resumed", async () => {
  const listener = await listen(echo);
  const values = new Set<string>();
  for (let n = 0; n < 4; n++) {
    const connection = connected(await dialer().dial(loopback(listener.port), never));
    await connection.request("GET", "/", undefined, never);
    const binding = connection.binding ?? fail("a resumed or unbound connection");
    values.add(toHex(binding.client)).add(toHex(binding.server));
    connection.close();
  }
  assertEquals(values.size, 8);
  await listener.close();
});

Deno.test("requests follow one another on one connection", async () => {
  const seen = new Set<AcceptedConnection>();
  const requests: PlainRequest[] = [];
  const listener = await listen((connection, request) => {
    seen.add(connection);
    requests.push(request);
    return echo(connection, request);
  });
  const connection = connected(await dialer().dial(loopback(listener.port), never));
  for (let n = 0; n < 5; n++) {
    const answer = await connection.request("POST", `/p${n}?query`, utf8(`body ${n}`), never);
    assertEquals([answer.status, new TextDecoder().decode(answer.body)], [200, `body ${n}`]);
  }
  assertEquals((await connection.request("GET", "/get", undefined, never)).body.length, 0);
  assertEquals(seen.size, 1);
  assertEquals(requests.map(({ method, path }) => `${method} ${path}`).slice(3), [
    "POST /p3",
    "POST /p4",
    "GET /get",
  ]);
  await assertRejects(
    () =>
      Promise.all([
        connection.request("GET", "/a", undefined, never),
        connection.request("GET", "/b", undefined, never),
      ]),
    Error,
    "another one",
  );
  connection.close();
  await assertRejects(() => connection.request("GET", "/c", undefined, never), Error, "closed");
  await listener.close();
});

Deno.test("both families reach a port that listens on all addresses", async () => {
  const listener = await listen(echo);
  for (const address of ["127.0.0.1", "::1"]) {
    const connection = connected(await dialer().dial(loopback(listener.port, address), never));
    assertEquals(connection.local.ip, connection.remote.ip);
    connection.close();
  }
  await listener.close();
});

Deno.test("new credentials show on new connections, in both directions", async () => {
  const chains: string[] = [];
  const listener = await listen((connection, request) => {
    chains.push(chainIn(connection)[1]);
    return echo(connection, request);
  });
  const dials = dialer();
  const first = connected(await dials.dial(loopback(listener.port), never));
  listener.setCredentials(chainTwo);
  dials.setCredentials(chainOne);
  const second = connected(await dials.dial(loopback(listener.port), never));
  await first.request("GET", "/", undefined, never);
  await second.request("GET", "/", undefined, never);
  const [rootOne, rootTwo] = [toHex(derOf(chainOne.rootPem)), toHex(derOf(chainTwo.rootPem))];
  assertEquals([chainIn(first)[1], chainIn(second)[1]], [rootOne, rootTwo]);
  assertEquals(chains, [rootTwo, rootOne]);
  first.close();
  second.close();
  await listener.close();
});

Deno.test("a closed port is refused, a network without a route is unreachable", async () => {
  const listener = await listen(echo);
  const { port } = listener;
  await listener.close();
  const refused = await dialer().dial(loopback(port), never);
  assertEquals("failed" in refused && refused.failed, "refused");
  // A link-local address without its interface can be routed nowhere.
  const lost = await dialer().dial(loopback(port, "fe80::1"), never);
  assertEquals("failed" in lost && lost.failed, "unreachable");
});

Deno.test("a port that is taken says so", async () => {
  const listener = await listen(echo);
  const error = await assertRejects(() => listen(echo, { port: listener.port }), ListenError);
  assertEquals([error.code, error.message], [
    "EADDRINUSE",
    `Cannot listen on port ${listener.port}: the port is taken`,
  ]);
  await listener.close();
});

/** A TCP server that does with each connection what the test says. */
async function withTcpServer(
  serve: (connection: Deno.TcpConn) => Promise<void>,
  test: (port: number) => Promise<void>,
) {
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of server) await serve(connection);
  })();
  await test(server.addr.port);
  server.close();
  await serving;
}

Deno.test("a peer that never speaks TLS, closes, or talks nonsense is a failure without a leak", async () => {
  const drain = async (connection: Deno.TcpConn) => {
    const buffer = new Uint8Array(4_096);
    while (await connection.read(buffer).catch(() => null) !== null);
    connection.close();
  };
  await withTcpServer(drain, async (port) => {
    const silent = await dialer({ tlsLimit: milliseconds(40) }).dial(loopback(port), never);
    assertEquals(silent, { failed: "tls", detail: "TLS was not done in time" });
  });
  await withTcpServer(
    (connection) => Promise.resolve(connection.close()),
    async (port) => {
      const closed = await dialer().dial(loopback(port), never);
      assertEquals("failed" in closed && closed.failed, "tls");
    },
  );
  await withTcpServer(async (connection) => {
    await connection.write(utf8("220 smtp.example ESMTP\r\n".repeat(50)));
    await drain(connection);
  }, async (port) => {
    const nonsense = await dialer().dial(loopback(port), never);
    assertEquals("failed" in nonsense && nonsense.failed, "tls");
  });
});

Deno.test("what lasts longer than a connection, its signal, keeps no listener of it", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners -= 1;
    removeEventListener.apply(signal, args);
  };
  const listener = await listen(echo);
  const connection = connected(await dialer().dial(loopback(listener.port), signal));
  await connection.request("GET", "/", undefined, signal);
  await connection.request("GET", "/", undefined, signal);
  connection.close();
  await listener.close();
  await dialer().dial(loopback(listener.port), signal);
  assertEquals(listeners, 0);
});

Deno.test("a dial can be called off before and during TLS", async () => {
  const called = new AbortController();
  called.abort();
  const before = await dialer().dial(loopback(1), called.signal);
  assertEquals("failed" in before && before.failed, "aborted");
  const controller = new AbortController();
  await withTcpServer(async (connection) => {
    await connection.read(new Uint8Array(64));
    controller.abort();
    await connection.read(new Uint8Array(4_096)).catch(() => null);
    connection.close();
  }, async (port) => {
    const during = await dialer().dial(loopback(port), controller.signal);
    assertEquals("failed" in during && during.failed, "aborted");
  });
});

Deno.test("a private key of another certificate fails the dial, nothing else", async () => {
  const listener = await listen(() => fail("a request came through"));
  const dials = dialer({
    credentials: { ...chainTwo, privateKeyPem: chainOne.privateKeyPem },
  });
  const result = await dials.dial(loopback(listener.port), never);
  assertEquals("failed" in result && result.failed, "tls");
  await listener.close();
});

Deno.test("a request that is called off or not answered in time breaks its connection", async () => {
  const controller = new AbortController();
  const listener = await listen((_, request) => {
    if (request.path === "/off") controller.abort();
    return new Promise(() => {});
  });
  const one = connected(await dialer().dial(loopback(listener.port), never));
  await assertRejects(
    () => one.request("GET", "/off", undefined, controller.signal),
    Error,
    "called off",
  );
  await assertRejects(() => one.request("GET", "/", undefined, never), Error, "called off");
  const two = connected(
    await dialer({ requestLimit: milliseconds(40) }).dial(loopback(listener.port), never),
  );
  await assertRejects(() => two.request("GET", "/", undefined, never), Error, "in time");
  await listener.close();
});

Deno.test("an answer over the limit is an error, one at the limit is not", async () => {
  const listener = await listen((_, request) =>
    Promise.resolve({ status: 200, body: new Uint8Array(Number(request.path.slice(1))) })
  );
  const dials = dialer({ answerBytesMax: 50_000 });
  const one = connected(await dials.dial(loopback(listener.port), never));
  assertEquals((await one.request("GET", "/50000", undefined, never)).body.length, 50_000);
  await assertRejects(() => one.request("GET", "/50001", undefined, never), Error, "too large");
  await listener.close();
});

Deno.test("pages follow one another on a finished connection, which keeps nobody else from dialling", async () => {
  const page = new Uint8Array(bulkPageBytesMax).map((_, i) => i * 7);
  const listener = await listen(() => Promise.resolve({ status: 200, body: page }));
  const one = dialer();
  const connections: DialledConnection[] = [];
  for (let i = 0; i < DIAL_TURNS + 1; i++) {
    const connection = connected(await one.dial(loopback(listener.port), never));
    connection.finished();
    connections.push(connection);
  }
  for (let i = 0; i < 3; i++) {
    await Promise.all(connections.map(async (connection) => {
      const body = utf8(`page ${i}`);
      const answer = await connection.request("POST", "/", body, never, bulkPageBytesMax);
      assert(equalBytes(answer.body, page));
    }));
  }
  const [first] = connections;
  assert(first !== undefined);
  await assertRejects(() => first.request("POST", "/", utf8("x"), never), Error, "too large");
  for (const connection of connections) connection.close();
  await listener.close();
});

Deno.test("a listener that closes breaks its connections, and a request in flight rejects", async () => {
  const listener = await listen((_, request) => {
    if (request.path === "/close") void listener.close();
    return new Promise(() => {});
  });
  const one = connected(await dialer().dial(loopback(listener.port), never));
  await assertRejects(() => one.request("GET", "/close", undefined, never), Error, "closed");
  await listener.close();
});

Deno.test("a client without certificates is answered by the handler, which knows that none came", async () => {
  const chains: unknown[] = [];
  const listener = await listen((connection, request) => {
    chains.push(connection.chain);
    return echo(connection, request);
  });
  await new Promise<void>((resolve) => {
    const socket = connectTls({
      port: listener.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
    }, () => socket.write("GET /mesh/v1/hello HTTP/1.1\r\nHost: x\r\n\r\n"));
    socket.once("data", () => socket.destroy());
    socket.once("close", () => resolve());
  });
  assertEquals(chains, [{ missing: "no certificate" }]);
  await listener.close();
});
