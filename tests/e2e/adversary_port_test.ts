/**
 * The TCP port against those who speak TLS and HTTP to it as nobody should: wrong, slow, too much,
 * twice, or not at all.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { concatBytes, utf8 } from "../../src/base/bytes.ts";
import { newIdentity } from "../../src/identity/mod.ts";
import { pause } from "../../scripts/eventually.ts";
import { firstMessage } from "./adversary/first_message.ts";
import { flood } from "./adversary/flood.ts";
import { attacksOnOnePair, HonestPair, residentBytes } from "./adversary/honest_pair.ts";
import { newImpostor } from "./adversary/presentations.ts";
import { refusalText, speak } from "./adversary/raw_http.ts";
import { Rogue } from "./adversary/rogue.ts";
import { HandTls } from "./adversary/tls_by_hand.ts";
import { eventually } from "./eventually.ts";
import { command, has } from "./lan.ts";

/**
 * What the runtime keeps of a TLS connection lies outside the heap, so it collects it late: under a
 * flood of any length a node stands some 200 MiB above its rest, and there it stays.
 */
const growthBytesMax = 320 * 1024 * 1024;
const attack = attacksOnOnePair(() => HonestPair.start({ growthBytesMax }));
const impostor = await newImpostor();
const genuine = { certificates: [impostor.leaf, impostor.root], sign: impostor.sign };
const lacksCurl = !await has("curl");
const lacksOpenssl = !await has("openssl");
if (lacksCurl) console.warn("Tests with curl are skipped: there is none.");
if (lacksOpenssl) console.warn("Tests with openssl are skipped: there is none.");

function post(path: string, body: string, more = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: mesh\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const wrong: Readonly<Record<string, string>> = {
  "an exchange of nothing": post("/mesh/v1/exchange", ""),
  "an exchange of noise": post("/mesh/v1/exchange", "noise"),
  "an exchange of CBOR that is none of ours": post("/mesh/v1/exchange", "\x84\x01\x02\x03\x04"),
  "an exchange of another kind": post("/mesh/v1/exchange", "{}", "Content-Type: text/json\r\n"),
  "an exchange asked for": "GET /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\n\r\n",
  "an exchange put": "PUT /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\nContent-Length: 0\r\n\r\n",
  "an exchange with a query": post("/mesh/v1/exchange?x=1", "noise"),
  "a confirmation of nothing": post("/mesh/v1/confirm", ""),
  "a confirmation of noise": post("/mesh/v1/confirm", "noise"),
  "a confirmation without an exchange": post("/mesh/v1/confirm", "\x83" + "\x40".repeat(3)),
  "a hello told": post("/mesh/v1/hello", ""),
  "another version": post("/mesh/v2/exchange", "noise"),
  "another case": post("/MESH/V1/EXCHANGE", "noise"),
  "a path that goes up": post("/mesh/v1/../v1/exchange", "noise"),
  "a path in escapes": post("/mesh/v1/%65xchange", "noise"),
  "the root": "GET / HTTP/1.1\r\nHost: mesh\r\n\r\n",
  "a chunk": "GET /mesh/v1/chunk/00 HTTP/1.1\r\nHost: mesh\r\n\r\n",
  "an admin page": "GET /admin HTTP/1.1\r\nHost: mesh\r\nAuthorization: Basic YTpi\r\n\r\n",
  "another host": "GET / HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n\r\n",
  "a whole address": "GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
  "a tunnel": "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: mesh\r\n\r\n",
  "an upgrade": "GET / HTTP/1.1\r\nHost: mesh\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
  "an options": "OPTIONS * HTTP/1.1\r\nHost: mesh\r\n\r\n",
  "a trace": "TRACE / HTTP/1.1\r\nHost: mesh\r\n\r\n",
  "no host": "GET / HTTP/1.1\r\n\r\n",
  "another protocol": "SSH-2.0-OpenSSH_9.9\r\n\r\n",
  "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a body too large": `POST / HTTP/1.1\r\nHost: mesh\r\nContent-Length: 16385\r\n\r\nx`,
  "a length that is none": "POST / HTTP/1.1\r\nHost: mesh\r\nContent-Length: -1\r\n\r\n",
  "two lengths":
    "POST / HTTP/1.1\r\nHost: mesh\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "headers too long": `GET / HTTP/1.1\r\nHost: mesh\r\nX: ${"x".repeat(9_000)}\r\n\r\n`,
  "a path too long": `GET /${"x".repeat(4_000)} HTTP/1.1\r\nHost: mesh\r\n\r\n`,
};

attack("whatever is wrong is refused in the same bytes, whoever says it", async ({ pair }) => {
  const own = await (await newIdentity()).newLeaf();
  const withOwn = { cert: own.certificateChainPem, key: own.privateKeyPem };
  for (const [what, text] of Object.entries(wrong)) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    for (const options of [{}, withOwn]) {
      assertEquals(await speak(pair.a.port, bytes, options), refusalText, what);
    }
  }
});

attack("a request for a head is refused in the same bytes without a body", async ({ pair }) => {
  // RFC 9110 §9.3.2: the client would take a body for the next answer.
  const text = "HEAD /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\n\r\n";
  assertEquals(`${await speak(pair.a.port, text)}refused\n`, refusalText);
});

attack(
  "a right first message without a certificate is refused in the same bytes",
  async ({ pair }) => {
    const body = await firstMessage();
    const head =
      `POST /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\nContent-Length: ${body.length}\r\n`;
    const bytes = concatBytes(utf8(`${head}\r\n`), body);
    assertEquals(await speak(pair.a.port, bytes), refusalText);
  },
);

attack("curl sees the same refusal for every path but one", async ({ pair }) => {
  const ask = async (...words: string[]) => {
    const options = ["-sk", "-i", "--http1.1", "--path-as-is", "--max-time", "10"];
    const [path = "", ...more] = words;
    const url = `https://127.0.0.1:${pair.a.port}${path}`;
    return (await command("curl", ...options, ...more, url)).stdout;
  };
  const paths = ["/", "/mesh/v1/exchange", "/mesh/v1/confirm", "/mesh/v1/../x", "/favicon.ico"];
  for (const path of paths) assertEquals(await ask(path), refusalText, path);
  assertEquals(await ask("/mesh/v1/exchange", "--data-binary", "noise"), refusalText);
  assertEquals(await ask("/mesh/v1/confirm", "-X", "DELETE"), refusalText);
}, { ignore: lacksCurl });

interface Hello {
  readonly product: string;
  readonly protocols: readonly string[];
  readonly id: string;
}

attack("hello answers curl, with any certificate and without", async ({ pair, stack }) => {
  const directory = await Deno.makeTempDir({ prefix: "mesh-test-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const { certificateChainPem, privateKeyPem } = await (await newIdentity()).newLeaf();
  const [cert, key] = [`${directory}/cert.pem`, `${directory}/key.pem`];
  await Deno.writeTextFile(cert, certificateChainPem);
  await Deno.writeTextFile(key, privateKeyPem);
  for (const more of [[], ["--cert", cert, "--key", key]]) {
    const url = `https://127.0.0.1:${pair.a.port}/mesh/v1/hello`;
    const { stdout } = await command("curl", "-sk", "--max-time", "10", ...more, url);
    const hello: Hello = JSON.parse(stdout);
    assertEquals(hello.product, "mesh");
    assertEquals(hello.id, pair.a.id);
    assert(hello.protocols.length > 0);
  }
}, { ignore: lacksCurl });

attack("hello answers openssl s_client", async ({ pair }) => {
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-quiet", "-connect", `127.0.0.1:${pair.a.port}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    utf8("GET /mesh/v1/hello HTTP/1.1\r\nHost: mesh\r\nConnection: close\r\n\r\n"),
  );
  const { stdout } = await child.output();
  await writer.close().catch(() => undefined); // It has ended: its input is gone.
  const text = new TextDecoder().decode(stdout);
  assert(text.startsWith("HTTP/1.1 200"), text);
  assert(text.includes(`"id":"${pair.a.id}"`), text);
}, { ignore: lacksOpenssl });

async function handConnect(port: number): Promise<HandTls> {
  return await HandTls.client(await Deno.connect({ hostname: "127.0.0.1", port }), genuine);
}

attack("a second exchange on one connection is refused, at once or later", async ({ pair }) => {
  const body = await firstMessage();
  const head =
    `POST /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\nContent-Length: ${body.length}\r\n`;
  const request = concatBytes(utf8(`${head}\r\n`), body);
  const first = "HTTP/1.1 200 OK\r\n";
  for (const pipelined of [true, false]) {
    const tls = await handConnect(pair.a.port);
    let heard = "";
    const decoder = new TextDecoder("latin1");
    if (pipelined) {
      await tls.write(concatBytes(request, request, request));
    } else {
      await tls.write(request);
      heard = decoder.decode(await tls.read());
      assert(heard.startsWith(first), heard);
      await tls.write(request);
    }
    heard += decoder.decode(await tls.readAll());
    tls.close();
    assertEquals(heard.split(first).length - 1, 1, "one is answered");
    assert(heard.endsWith(refusalText), heard.slice(-300));
  }
});

attack("a body without an end is cut, and is not kept", async ({ pair }) => {
  const before = await residentBytes(pair.a.pid);
  const tls = await handConnect(pair.a.port);
  const head =
    "POST /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\nTransfer-Encoding: chunked\r\n\r\n";
  await tls.write(utf8(head));
  const chunk = concatBytes(utf8("4000\r\n"), new Uint8Array(0x4000), utf8("\r\n"));
  let sent = 0;
  try {
    while (sent < 64 * 1024 * 1024) {
      await tls.write(chunk);
      sent += 0x4000;
    }
  } catch {
    // The node has cut the connection, as it should.
  }
  tls.close();
  assert(sent < 64 * 1024 * 1024, "the node read on for ever");
  const grown = await residentBytes(pair.a.pid) - before;
  assert(grown < 32 * 1024 * 1024, `grew by ${grown}`);
});

attack(
  "who speaks slowly, in TLS or in HTTP, is cut in time and keeps nobody out",
  async ({ pair, stack, allow }) => {
    const { port } = pair.a;
    const stop = new AbortController();
    let cut = 0;
    const slow = async (begin: () => Promise<(byte: Uint8Array) => Promise<unknown>>) => {
      const send = await begin();
      try {
        while (!stop.signal.aborted) {
          await send(Uint8Array.of(0x61));
          await pause(250, stop.signal);
        }
      } catch {
        cut++; // What all of them wait for.
      }
    };
    const raw = async (first: Uint8Array) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      stack.defer(() => connection.close());
      await connection.write(first);
      return (byte: Uint8Array) => connection.write(byte);
    };
    const http = async (first: string) => {
      const tls = await handConnect(port);
      stack.defer(() => tls.close());
      await tls.write(utf8(first));
      return (byte: Uint8Array) => tls.write(byte);
    };
    const kinds = [
      () => raw(Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3)),
      () => http("GET /mesh/v1/hello HTTP/1.1\r\nX: "),
      () => http("POST /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\nContent-Length: 9000\r\n\r\n"),
    ];
    const all = kinds.flatMap((begin) => Array.from({ length: 12 }, () => slow(begin)));
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    await pause(500);
    // Another stranger is let in meanwhile.
    assertEquals((await rogue.meet(pair.a)).result.peer, pair.a.id);
    await eventually("all are cut", () => cut === all.length, 20_000);
    stop.abort();
    await Promise.all(all);
  },
);

attack(
  "ten thousand half-open connections keep no newcomer out for long",
  async ({ pair, stack, allow }) => {
    const flooding = flood(["half-open", String(pair.a.port), "10000"]);
    const ended = flooding.then(() => true);
    let met = 0;
    do {
      const rogue = stack.use(await Rogue.create());
      const outcome = await rogue.dial(pair.a.port);
      if (outcome.kind === "proven") {
        allow(rogue.id);
        met++;
      }
    } while (!await Promise.race([ended, pause(500).then(() => false)]));
    const { opened = 0 } = await flooding;
    assert(opened > 9_000, `only ${opened} were opened`);
    const after = stack.use(await Rogue.create());
    allow(after.id);
    await eventually("a newcomer is let in right after", async () => {
      return (await after.dial(pair.a.port)).kind === "proven";
    }, 5_000);
    assert(met > 0, "nobody was let in meanwhile");
  },
);
