/** The TLS port under those who mean it harm, over real loopback sockets. */
import { assert, assertEquals, assertStringIncludes, fail } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { chainOne, chainTwo } from "../../tests/fixtures/tls_chains.ts";
import { utf8 } from "../base/bytes.ts";
import { milliseconds } from "../base/instant.ts";
import { parseIp } from "../base/ip.ts";
import { Prng } from "../base/prng.ts";
import type {
  AcceptedConnection,
  PlainAnswer,
  PlainRequest,
  SecureHandler,
} from "../platform/secure_streams.ts";
import { encodeBase64 } from "../std/encoding.ts";
import { HANDSHAKES_KEPT_FOR_KNOWN, HANDSHAKES_MAX } from "./limits.ts";
import { SystemClock } from "./system_clock.ts";
import { TlsDialer } from "./tls_dialer.ts";
import { listenTls, type ListenTlsOptions, type TlsListener } from "./tls_listener.ts";

// Off unless asked for; what a test opens it must close.
Deno.test.sanitizer({ ops: true, resources: true });

const clock = new SystemClock();
const hello: PlainAnswer = { status: 200, body: utf8('{"product":"mesh"}') };

/** Answers hello to anyone and `/whole` after the body, refuses what is left; says what it saw. */
function helloHandler(
  seen: (connection: AcceptedConnection, request: PlainRequest) => void = () => {},
): SecureHandler {
  return (connection, request) => {
    seen(connection, request);
    if (request.path === "/throw") return Promise.reject(new Error("a bug"));
    if (request.path === "/never") return new Promise(() => {});
    return Promise.resolve(request.path === "/mesh/v1/hello" ? hello : undefined);
  };
}

async function withListener(
  test: (listener: TlsListener) => Promise<void>,
  handler: SecureHandler = helloHandler(),
  options: Partial<ListenTlsOptions> = {},
) {
  const listener = await listenTls({ clock, credentials: chainOne, port: 0, ...options }, handler);
  try {
    await test(listener);
  } finally {
    await listener.close();
  }
}

/** Sends the bytes over TLS and gives all that comes back until the connection ends, as text. */
function speak(port: number, text: string, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connectTls(
      { port, host: "127.0.0.1", rejectUnauthorized: false, ...options },
      () => socket.write(text),
    );
    socket.on("data", (part) => heard += String(part));
    socket.on("error", () => {}); // What was heard until then is what counts.
    socket.on("close", () => resolve(heard));
  });
}

const helloRequest = "GET /mesh/v1/hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

async function stillAnswers(listener: TlsListener) {
  const answer = await speak(listener.port, helloRequest);
  assertStringIncludes(answer, "200 OK");
  assertStringIncludes(answer, '{"product":"mesh"}');
}

const refusal =
  "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 8\r\nConnection: close\r\n\r\n" +
  "refused\n";

const refused: Readonly<Record<string, string>> = {
  "an unknown path": "GET /mesh/v1/other HTTP/1.1\r\nHost: x\r\n\r\n",
  "the root": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  "no host": "GET / HTTP/1.1\r\n\r\n",
  "an unknown method": "DELETE /mesh/v1/exchange HTTP/1.1\r\nHost: x\r\n\r\n",
  "an exchange without a body":
    "POST /mesh/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
  "a message that is none":
    "POST /mesh/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
  "a handler that throws": "GET /throw HTTP/1.1\r\nHost: x\r\n\r\n",
  "a target that is no path": "GET http://x/mesh/v1/hello HTTP/1.1\r\nHost: x\r\n\r\n",
  "a long path": `GET /${"p".repeat(3_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  "a body that is told to be too large":
    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc",
  "a body that turns out too large":
    `POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${
      `1000\r\n${"b".repeat(0x1000)}\r\n`.repeat(5)
    }`,
  "an upgrade":
    "GET /mesh/v1/hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "a tunnel": "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
  "an expectation":
    "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
  "another expectation":
    "POST /x HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 3\r\n\r\nabc",
  "no HTTP": "EHLO mesh\r\n\r\n",
  "a line that is no header": "GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n",
  "headers too long": `GET /mesh/v1/hello HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`,
  "two lengths":
    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
  "a length and chunks":
    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
};

Deno.test("everything that is not answered is refused with the same bytes", async () => {
  await withListener(async (listener) => {
    for (const [what, request] of Object.entries(refused)) {
      assertEquals(await speak(listener.port, request), refusal, what);
      assertEquals(await speak(listener.port, request, chainOptions(chainTwo)), refusal, what);
    }
    await stillAnswers(listener);
  });
});

// The runtime aborts the whole process when it is made to write there: this run would just end.
Deno.test("an answer to a connection that was closed meanwhile is dropped", async () => {
  await withListener(async (listener) => {
    for (const path of ["/refused", "/mesh/v1/hello"]) {
      assertEquals(await speak(listener.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`), "");
    }
  }, (connection, request) => {
    connection.close();
    return Promise.resolve(request.path === "/refused" ? undefined : hello);
  });
});

function chainOptions(chain: { certificateChainPem: string; privateKeyPem: string }) {
  return { cert: chain.certificateChainPem, key: chain.privateKeyPem };
}

Deno.test("a pipelined request is refused, whatever it asks, and the first one is answered", async () => {
  await withListener(async (listener) => {
    const two = "POST /mesh/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".repeat(2);
    const heard = await speak(listener.port, two);
    assertStringIncludes(heard, "200 OK");
    assert(heard.endsWith(refusal), heard);
    await stillAnswers(listener);
  }, async (connection, request) => {
    // Takes a turn of the event loop, as every exchange does.
    await crypto.subtle.digest("SHA-256", request.body);
    return await helloHandler()(connection, request);
  });
});

function junkPem(prng: Prng, length: number): string {
  const bytes = Uint8Array.from({ length }, () => prng.below(256));
  return `-----BEGIN CERTIFICATE-----\n${encodeBase64(bytes)}\n-----END CERTIFICATE-----\n`;
}

Deno.test("chains that are none to judge are named so, and hello is answered to all of them", async () => {
  const prng = new Prng([4711]);
  const { leafPem, rootPem, privateKeyPem } = chainTwo;
  const cases: [string, string][] = [
    ["only one certificate", leafPem],
    ["more than two certificates", leafPem + rootPem + rootPem],
    ["more than two certificates", leafPem + rootPem + leafPem],
    ["unreadable certificates", leafPem + junkPem(prng, 100)],
    ["unreadable certificates", leafPem + rootPem + junkPem(prng, 100)],
    ["unreadable certificates", leafPem + junkPem(prng, 9_000)],
  ];
  const chains: unknown[] = [];
  await withListener(async (listener) => {
    for (const [, chain] of cases) {
      const options = { cert: chain, key: privateKeyPem };
      assertStringIncludes(await speak(listener.port, helloRequest, options), "200 OK");
    }
    assertEquals(chains, cases.map(([missing]) => ({ missing })));
    await stillAnswers(listener);
  }, helloHandler((connection) => chains.push(connection.chain)));
});

/** Sends bytes over TCP as they are; resolves when the other side has closed. */
function speakPlainly(port: number, text: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (part) => heard += String(part));
    socket.on("error", () => {}); // A reset is an answer, too.
    socket.on("close", () => resolve(heard));
  });
}

Deno.test("plain text and noise on the port are closed without a word of HTTP", async () => {
  const prng = new Prng([1, 2, 3]);
  await withListener(
    async (listener) => {
      assert(!(await speakPlainly(listener.port, helloRequest)).includes("HTTP"));
      for (let n = 0; n < 30; n++) {
        const noise = Uint8Array.from({ length: 600 }, () => prng.below(256));
        // Half of them look like the start of a TLS handshake record.
        if (n % 2 === 0) noise.set([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
        await speakPlainly(listener.port, noise);
      }
      assert((listener.shed["TLS failed"] ?? 0) > 0);
      await stillAnswers(listener);
    },
    helloHandler(),
    { limits: { tlsLimit: milliseconds(100) } },
  );
});

Deno.test("two thousand half-open connections: the limits hold and the port still answers", async () => {
  await withListener(async (listener) => {
    const open: Deno.Conn[] = [];
    for (let n = 0; n < 2_000; n++) {
      open.push(await Deno.connect({ hostname: "127.0.0.1", port: listener.port }));
      if (n % 100 === 0) {
        const { unfinished } = listener.counts();
        assert(unfinished <= HANDSHAKES_MAX - HANDSHAKES_KEPT_FOR_KNOWN);
      }
    }
    await stillAnswers(listener);
    assert((listener.shed["made room for a newer handshake"] ?? 0) > 1_000);
    for (const connection of open) connection.close();
  });
});

Deno.test("slow ones are cut off: no TLS, no request, no end of the headers, no body, no exchange", async () => {
  await withListener(
    async (listener) => {
      const slow = [
        speakPlainly(listener.port, ""),
        speak(listener.port, ""),
        speak(listener.port, "GET /mesh/v1/hello HTTP/1.1\r\nHost: x\r\n"),
        speak(listener.port, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"),
        speak(listener.port, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n"),
      ];
      assertEquals(await Promise.all(slow), ["", "", "", "", ""]);
      // Answered, but it never comes to the point: cut off as well.
      const idle = await speak(listener.port, helloRequest.replace("close", "keep-alive"));
      assertStringIncludes(idle, "200 OK");
      assertEquals(listener.counts(), { unfinished: 0, queued: 0, finished: 0 });
      assertEquals([listener.shed["TLS took too long"], listener.shed["exchange took too long"]], [
        1,
        5,
      ]);
      await stillAnswers(listener);
    },
    helloHandler(),
    { limits: { tlsLimit: milliseconds(80), exchangeLimit: milliseconds(200) } },
  );
});

Deno.test("a finished exchange frees its slot, and the connection lives on", async () => {
  const limits = { exchangeLimit: milliseconds(100), handshakesMax: 1, keptForKnown: 0 };
  await withListener(
    async (listener) => {
      const ip = parseIp("127.0.0.1") ?? fail();
      const dialer = new TlsDialer({ clock, credentials: chainTwo });
      const never = new AbortController().signal;
      const dialled = await dialer.dial({ ip, port: listener.port }, never);
      if ("failed" in dialled) fail(dialled.detail);
      await dialled.request("GET", "/mesh/v1/hello", undefined, never);
      assertEquals(listener.counts(), { unfinished: 0, queued: 0, finished: 1 });
      await stillAnswers(listener);
      assertEquals((await dialled.request("GET", "/mesh/v1/hello", undefined, never)).status, 200);
      dialled.close();
    },
    helloHandler((connection) => connection.finished()),
    { limits },
  );
});

Deno.test("a source with all its handshakes waits its turn and is then served whole", async () => {
  const limits = { perSourceMax: 1, isExempt: () => false };
  let open = 0;
  let most = 0;
  await withListener(async (listener) => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => speak(listener.port, helloRequest, chainOptions(chainTwo))),
    );
    assert(answers.every((answer) => answer.includes("200 OK")));
    assertEquals(most, 1);
  }, async (connection, request) => {
    most = Math.max(most, ++open);
    await crypto.subtle.digest("SHA-256", request.body);
    open -= 1;
    return await helloHandler()(connection, request);
  }, { limits });
});

Deno.test("a connection to an interface that is not served is closed before TLS", async () => {
  const asked: unknown[] = [];
  const acceptsOn: ListenTlsOptions["acceptsOn"] = (name, local) => {
    asked.push([name, local]);
    return false;
  };
  await withListener(
    async (listener) => {
      assertEquals(await speakPlainly(listener.port, ""), "");
      assertEquals(asked, [["lo", "127.0.0.1"]]);
      assertEquals(listener.shed, { "interface not served": 1 });
    },
    helloHandler(),
    {
      acceptsOn,
      interfaces: () => [{
        name: "lo",
        addresses: [{ ip: parseIp("127.0.0.1") ?? fail(), prefixLength: 8 }],
      }],
    },
  );
});

async function exists(program: string): Promise<boolean> {
  try {
    await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .output();
    return true;
  } catch {
    return false;
  }
}

const hasOpenssl = await exists("openssl");
const hasCurl = await exists("curl");

async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // The program may have ended by itself: what it said is what counts.
  await writer.write(utf8(input)).catch(() => {});
  const output = child.output();
  if (input === "") await writer.close().catch(() => {});
  const { stdout, stderr } = await output;
  if (input !== "") await writer.close().catch(() => {});
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test({
  name: "openssl with TLS 1.2 is turned away",
  ignore: !hasOpenssl,
  fn: () =>
    withListener(async (listener) => {
      const address = `127.0.0.1:${listener.port}`;
      const said = await run("openssl", ["s_client", "-connect", address, "-tls1_2"]);
      assertStringIncludes(said, "alert protocol version");
      assertEquals(listener.shed, { "TLS failed": 1 });
      await stillAnswers(listener);
    }),
});

Deno.test({
  name: "a session that openssl resumes has no chain and no binding",
  ignore: !hasOpenssl,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    const facts: unknown[] = [];
    try {
      await withListener(
        async (listener) => {
          const session = `${directory}/session`;
          const leaf = `${directory}/leaf.pem`;
          const root = `${directory}/root.pem`;
          const key = `${directory}/leaf.key`;
          await Deno.writeTextFile(leaf, chainTwo.leafPem);
          await Deno.writeTextFile(root, chainTwo.rootPem);
          await Deno.writeTextFile(key, chainTwo.privateKeyPem);
          const to = ["s_client", "-connect", `127.0.0.1:${listener.port}`];
          const own = ["-cert", leaf, "-cert_chain", root, "-key", key];
          await run("openssl", [...to, ...own, "-sess_out", session, "-ign_eof"], helloRequest);
          const said = await run("openssl", [...to, "-sess_in", session, "-ign_eof"], helloRequest);
          // The runtime does resume; should it stop doing so, this test has lost its object.
          assertStringIncludes(said, "Reused, TLSv1.3");
          assertStringIncludes(said, "200 OK");
          assertEquals(facts, [
            { missing: undefined, bound: true },
            { missing: "session was resumed", bound: false },
          ]);
        },
        helloHandler(({ chain, binding }) => {
          const missing = "missing" in chain ? chain.missing : undefined;
          facts.push({ missing, bound: binding !== undefined });
        }),
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "curl says hello with a certificate, without one, and twice on one connection",
  ignore: !hasCurl,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      await withListener(async (listener) => {
        const url = `https://127.0.0.1:${listener.port}/mesh/v1/hello`;
        const chain = `${directory}/chain.pem`;
        const key = `${directory}/leaf.key`;
        await Deno.writeTextFile(chain, chainTwo.certificateChainPem);
        await Deno.writeTextFile(key, chainTwo.privateKeyPem);
        const body = '{"product":"mesh"}';
        assertEquals(await run("curl", ["-sk", url]), body);
        assertEquals(await run("curl", ["-sk", "--cert", chain, "--key", key, url]), body);
        assertEquals(await run("curl", ["-sk", url, url]), body + body);
        const head = await run("curl", ["-sk", "-D", "-", "-o", "/dev/null", url]);
        assert(!/date:|server:/i.test(head), head);
      });
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("a client that goes away at any moment leaves nothing behind", async () => {
  await withListener(async (listener) => {
    const prng = new Prng([99]);
    for (let n = 0; n < 60; n++) {
      const socket = connectTls({
        port: listener.port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        ...chainOptions(chainTwo),
      });
      socket.on("error", () => {}); // Going away is the point.
      const gone = new Promise<void>((resolve) => socket.on("close", () => resolve()));
      const moment = prng.pick(["now", "connect", "secureConnect", "data"]) ?? "now";
      if (moment === "now") socket.destroy();
      else {
        socket.once(moment, () => socket.destroy());
        socket.once("secureConnect", () => socket.write(helloRequest.replace("close", "x")));
      }
      await gone;
    }
    await stillAnswers(listener);
  });
});
