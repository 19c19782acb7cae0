/**
 * Sealed request and answer, both ends in one process: what a benchmark repeats and times.
 *
 * @module
 */
import type { Bytes } from "../src/base/bytes.ts";
import { instant } from "../src/base/instant.ts";
import { invariant } from "../src/base/invariant.ts";
import { parseIp } from "../src/base/ip.ts";
import { SystemEntropy } from "../src/host/mod.ts";
import type { Entropy } from "../src/platform/entropy.ts";
import { EpochKeys, PeerKeys } from "../src/session/mod.ts";
import { nodeIdFromBytes } from "../src/wire/node_id.ts";
import { socketAddress } from "../src/wire/socket_address.ts";
import { type Bench, rate } from "./frame.ts";

/** Two nodes that have exchanged their grants. */
export interface DatagramPair {
  /** One request of `requestLength` bytes and its answer of `answerLength`, opened and checked. */
  roundTrip(requestLength: number, answerLength: number): Promise<void>;
}

/** Makes the pair. Both machines are the real ones; only the wire between them is missing. */
export async function makeDatagramPair(entropy: Entropy): Promise<DatagramPair> {
  const asker = nodeIdFromBytes(entropy.bytes(32));
  const answerer = nodeIdFromBytes(entropy.bytes(32));
  const ip = parseIp("fe80::1");
  invariant(asker !== undefined && answerer !== undefined && ip !== undefined, "ids and address");
  const source = { address: socketAddress(ip, 7411, "eth0"), interfaceName: "eth0" };
  const now = instant(1_000);
  const epochKeys = EpochKeys.create(entropy, answerer, now);
  const peerKeys = new PeerKeys(entropy);
  peerKeys.adopt(await epochKeys.grantFor(asker, now), now);

  async function exchange(message: Bytes, answer: Bytes): Promise<void> {
    const request = await peerKeys.sealRequest(message, "path", now);
    invariant(request !== undefined, "a grant is held");
    const opened = await epochKeys.open(request.bytes, source, () => true, now);
    invariant(opened.kind === "request", "the request opens");
    const bytes = await epochKeys.sealAnswer(opened.request, answer);
    const outcome = await peerKeys.openAnswer(request.pending, bytes, now);
    invariant(outcome.kind === "answer", "the answer opens");
  }
  // The first answer brings the cookie.
  await exchange(new Uint8Array(1), new Uint8Array(1));
  return {
    roundTrip: (requestLength, answerLength) =>
      exchange(new Uint8Array(requestLength), new Uint8Array(answerLength)),
  };
}

const roundTrips = {
  name: "datagram round trips, sealed",
  unit: "1/s",
  goal: { atLeast: 5_000 },
} as const;

/** Round trips at once: what a node with a few busy links has in flight. */
const inFlight = 8;
/** Bytes of a probe and of its answer, about. */
const probeBytes = 32;

/** Sealed requests and answers, both ends on one core. */
export const datagramBench: Bench = {
  metrics: [roundTrips],
  async run({ quick, record }) {
    const pair = await makeDatagramPair(new SystemEntropy());
    const once = () => pair.roundTrip(probeBytes, probeBytes);
    await rate(once, inFlight, quick ? 200 : 1_000);
    for (let run = 0; run < (quick ? 1 : 5); run++) {
      record(roundTrips, await rate(once, inFlight, quick ? 500 : 2_000));
    }
  },
};
