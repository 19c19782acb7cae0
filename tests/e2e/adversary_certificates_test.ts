/**
 * Passing for somebody else by what is presented in the TLS handshake: genuine certificates that
 * were seen on the wire, whole or bent, with a key that is not theirs. In both directions: the
 * attacker dials a node, and a node is made to dial the attacker.
 *
 * The handshakes are made by hand, for no library presents all of these.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Bytes, concatBytes, utf8 } from "../../src/base/bytes.ts";
import { firstMessage } from "./adversary/first_message.ts";
import { attacksOnOnePair, HonestPair } from "./adversary/honest_pair.ts";
import {
  forgedPresentations,
  type Impostor,
  newImpostor,
  type Victim,
} from "./adversary/presentations.ts";
import { refusalText } from "./adversary/raw_http.ts";
import { HandTls, HandTlsError, type Presentation } from "./adversary/tls_by_hand.ts";
import { Trap } from "./adversary/trap.ts";
import { eventually } from "./eventually.ts";

function exchangeRequest(body: Bytes): Bytes {
  const head = "POST /mesh/v1/exchange HTTP/1.1\r\nHost: mesh\r\nConnection: close\r\n";
  return concatBytes(utf8(`${head}Content-Length: ${body.length}\r\n\r\n`), body);
}

/** What a node says to a first message over a handshake; `undefined` if it breaks that off. */
async function tryAsClient(port: number, own: Presentation): Promise<string | undefined> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const tls = await HandTls.client(connection, own);
    try {
      await tls.write(exchangeRequest(await firstMessage()));
      const heard = await tls.readAll();
      return heard.length === 0 ? undefined : new TextDecoder().decode(heard);
    } finally {
      tls.close();
    }
  } catch (error) {
    // Refused in the handshake, or cut while we still spoke.
    if (error instanceof HandTlsError || error instanceof Deno.errors.ConnectionReset) {
      return undefined;
    }
    if (error instanceof Deno.errors.BrokenPipe) return undefined;
    throw error;
  }
}

const impostor: Impostor = await newImpostor();
const genuine: Presentation = {
  certificates: [impostor.leaf, impostor.root],
  sign: impostor.sign,
};
const victimToBe: Victim = await newImpostor();
/** Names alone: tests are registered before there is a victim. */
const names = [...(await forgedPresentations(victimToBe, impostor)).keys()];
const traps = new Map([...names, "its own chain"].map((name) => [name, new Trap()]));
let forged: ReadonlyMap<string, Presentation> = new Map();

async function victimAt(port: number, id: Victim["id"]): Promise<Victim> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const tls = await HandTls.client(connection, genuine);
  tls.close();
  const [leaf, root] = tls.theirs;
  assert(leaf !== undefined && root !== undefined);
  return { id, leaf, root };
}

const attack = attacksOnOnePair(async () => {
  const peers = [...traps.values()].flatMap(({ port }) => ["--peer", `127.0.0.1:${port}`]);
  const pair = await HonestPair.start({ args: peers });
  // The victim is b; a is the one to be fooled.
  forged = await forgedPresentations(await victimAt(pair.b.port, pair.b.id), impostor);
  for (const [name, trap] of traps) trap.presentation = forged.get(name) ?? genuine;
  return pair;
});
Deno.test.afterAll(async () => {
  for (const trap of traps.values()) await trap[Symbol.asyncDispose]();
});

function presentationOf(name: string): Presentation {
  const presentation = forged.get(name);
  assert(presentation !== undefined);
  return presentation;
}

function trapOf(name: string): Trap {
  const trap = traps.get(name);
  assert(trap !== undefined);
  return trap;
}

attack("a stranger who dials with its own chain may speak, as itself", async ({ pair }) => {
  const answer = await tryAsClient(pair.a.port, genuine);
  assert(answer?.startsWith("HTTP/1.1 200"), answer);
});

for (const name of names) {
  attack(`who dials with ${name} is told nothing`, async ({ pair }) => {
    const answer = await tryAsClient(pair.a.port, presentationOf(name));
    assert(answer === undefined || answer === refusalText, answer);
  });
}

attack("a stranger who is dialled with its own chain hears a first message", async () => {
  const trap = trapOf("its own chain");
  const first = await eventually("a first message", () => trap.heard[0]);
  assert(new TextDecoder().decode(first).startsWith("POST /mesh/v1/exchange HTTP/1.1"));
});

for (const name of names) {
  attack(`who is dialled and presents ${name} hears not a byte`, async () => {
    const trap = trapOf(name);
    await eventually("a dial from each node", () => trap.ended >= 2);
    assertEquals(trap.heard, []);
  });
}
