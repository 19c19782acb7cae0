/**
 * Floods, from a process of their own: so that they can run inside a namespace, with file
 * descriptors of their own, and beside the tests that watch their victim.
 *
 *     flood_process.ts half-open PORT COUNT [HOST SOURCE…]   TCP connections that say nothing
 *     flood_process.ts beacons COUNT                         beacons under made-up ids
 *     flood_process.ts claim ID PORT                         one beacon under somebody's id
 *     flood_process.ts noise PORT COUNT                      datagrams, random and nearly right
 *
 * Prints one line of JSON when it is done.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import { IslandKey, openTag } from "../../../src/crypto/mod.ts";
import {
  type Beacon,
  beaconGroupIpv4,
  beaconPort,
  encodeBeacon,
} from "../../../src/wire/beacon.ts";
import { nodeIdToBytes, parseNodeId } from "../../../src/wire/node_id.ts";

/** Connections held at once: four flooders of this size fit any usual limit of descriptors. */
const heldMax = 400;
/** Connections begun at once: what a listening queue of the system holds. */
const batch = 200;

async function halfOpen(
  port: number,
  count: number,
  host = "127.0.0.1",
  sources: readonly string[] = [],
): Promise<Record<string, number>> {
  const held: Socket[] = [];
  let opened = 0;
  let failed = 0;
  for (let begun = 0; begun < count; begun += batch) {
    const starting = Array.from({ length: Math.min(batch, count - begun) }, (_, i) => {
      const source = sources[(begun + i) % sources.length];
      const from = source === undefined ? {} : { localAddress: source };
      return new Promise<void>((resolve) => {
        const socket = connect({ host, port, ...from });
        held.push(socket);
        socket.once("connect", () => {
          opened++;
          resolve();
        });
        socket.on("error", () => {
          failed++;
          resolve();
        });
      });
    });
    await Promise.all(starting);
    for (const socket of held.splice(0, Math.max(0, held.length - heldMax))) socket.destroy();
  }
  for (const socket of held) socket.destroy();
  return { opened, failed };
}

function sender(source: string): (beacon: Beacon) => Promise<boolean> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: source, port: 0 });
  socket.receive().catch(() => undefined);
  return async (beacon) => {
    try {
      const to = { transport: "udp" as const, hostname: beaconGroupIpv4, port: beaconPort };
      await socket.send(encodeBeacon(beacon), to);
      return true;
    } catch {
      return false; // A full buffer: floods lose some.
    }
  };
}

async function beacons(count: number): Promise<Record<string, number>> {
  const tag = await openTag();
  const senders = Array.from({ length: 250 }, (_, i) => sender(`127.0.0.${i + 2}`));
  let sent = 0;
  for (let times = 0; times < count; times++) {
    const send = senders[times % senders.length];
    const random = crypto.getRandomValues(new Uint8Array(50));
    const done = await send?.({
      solicitation: times % 2 === 0,
      tag,
      idForm: "plain",
      id: random.slice(0, 32),
      // Ports that lead nowhere, low ones that are refused.
      port: 1 + (random[48] ?? 0) * 256 + (random[49] ?? 0) % 255,
      island: random.slice(32, 48),
    });
    if (done === true) sent++;
  }
  return { sent };
}

/** Datagrams of every length, most of them with the head of a right one. */
async function noise(port: number, count: number): Promise<Record<string, number>> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.9", port: 0 });
  let back = 0;
  const reading = (async () => {
    try {
      while (true) {
        await socket.receive();
        back++;
      }
    } catch {
      // Closed at the end.
    }
  })();
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  let sent = 0;
  for (let times = 0; times < count; times++) {
    const at = (times * 7_919) % 64_000;
    const datagram = bytes.slice(at, at + times % 1_300);
    if (times % 4 !== 0) datagram.set([1, times % 5].slice(0, datagram.length), 0);
    try {
      await socket.send(datagram, { transport: "udp", hostname: "127.0.0.1", port });
      sent++;
    } catch {
      // A full buffer: floods lose some.
    }
  }
  socket.close();
  await reading;
  return { sent, back };
}

async function claim(id: string, port: number): Promise<Record<string, number>> {
  const nodeId = parseNodeId(id);
  if (nodeId === undefined) throw new Error(`"${id}" is no id`);
  const bytes = nodeIdToBytes(nodeId);
  const key = await IslandKey.open();
  const mark = { smallestId: bytes, hour: 0, idForm: "plain" as const, id: bytes };
  const send = sender("127.0.0.1");
  const sent = await send({
    solicitation: true,
    tag: await openTag(),
    idForm: "plain",
    id: bytes,
    port,
    island: await key.mark(mark),
  });
  return { sent: sent ? 1 : 0 };
}

if (import.meta.main) {
  const [mode, first = "", second = "", ...rest] = Deno.args;
  const done = mode === "half-open"
    ? await halfOpen(Number(first), Number(second), ...splitHost(rest))
    : mode === "beacons"
    ? await beacons(Number(first))
    : mode === "noise"
    ? await noise(Number(first), Number(second))
    : await claim(first, Number(second));
  console.log(JSON.stringify(done));
  Deno.exit(0);
}

function splitHost([host, ...sources]: readonly string[]): [string?, string[]?] {
  return host === undefined ? [] : [host, sources];
}
