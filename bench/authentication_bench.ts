/**
 * Full authentications: TCP, TLS 1.3, both chains judged, the exchange, both ends in this process.
 *
 * @module
 */
import { Counters } from "../src/base/counters.ts";
import { instant, wallTime } from "../src/base/instant.ts";
import { invariant } from "../src/base/invariant.ts";
import { parseIp } from "../src/base/ip.ts";
import { signRecord } from "../src/crypto/mod.ts";
import { listenTls, SystemClock, SystemEntropy, TlsDialer } from "../src/host/mod.ts";
import { type LeafCredentials, newIdentity } from "../src/identity/mod.ts";
import { Authenticator } from "../src/node/authenticator.ts";
import type { SecureDialer } from "../src/platform/secure_streams.ts";
import { EpochKeys } from "../src/session/mod.ts";
import { encodeInfo, type InfoBody } from "../src/wire/info.ts";
import { encodeRecordPayload } from "../src/wire/record.ts";
import { infoKind } from "../src/wire/record_key.ts";
import { socketAddress } from "../src/wire/socket_address.ts";
import { quietOwner } from "../tests/fixtures/quiet_owner.ts";
import { type Bench, rate } from "./frame.ts";

const clock = new SystemClock();
const entropy = new SystemEntropy();

/** What a node with a name, an address and a label says of itself. */
export function exampleInfo(): InfoBody {
  const ip = parseIp("192.0.2.7");
  invariant(ip !== undefined, "an address of RFC 5737");
  return {
    name: "atlas",
    endpoints: [{ ip, port: 7411, scope: "private" }],
    observed: [],
    capabilities: [],
    software: { version: "1.0.0", seq: 1, target: "x86_64-unknown-linux-gnu" },
    bootNonce: entropy.bytes(16),
    labels: new Map([["rack", "b2"]]),
    platform: { os: "linux", arch: "x86_64" },
  };
}

async function makeEnd(dialerOf: (leaf: LeafCredentials) => SecureDialer) {
  const identity = await newIdentity();
  const leaf = await identity.newLeaf();
  const info = await signRecord(
    identity,
    encodeRecordPayload({
      kind: infoKind,
      subject: new Uint8Array(0),
      serial: 1,
      signedAt: wallTime(1_700_000_000_000),
      body: encodeInfo(exampleInfo()),
    }),
  );
  const epochKeys = EpochKeys.create(entropy, identity.id, instant(0));
  const authenticator = new Authenticator({
    self: { identity, leafHash: leaf.leafHash, bootNonce: entropy.bytes(16) },
    clock,
    entropy,
    dialer: dialerOf(leaf),
    counters: new Counters(),
    owner: quietOwner({
      ownInfo: () => info,
      grantFor: (peer) => epochKeys.grantFor(peer, instant(0)),
    }),
  });
  return { authenticator, leaf };
}

const authentications = {
  name: "full authentications",
  unit: "1/s",
  goal: { atLeast: 120 },
} as const;

/** Connections at once: both ends share the processor, so more would only queue. */
const inFlight = 4;

/** Two nodes that prove themselves to each other again and again. */
export const authenticationBench: Bench = {
  metrics: [authentications],
  async run({ quick, record }) {
    const dialerOf = (credentials: LeafCredentials) => new TlsDialer({ clock, credentials });
    const responder = await makeEnd(dialerOf);
    const initiator = await makeEnd(dialerOf);
    const host = parseIp("127.0.0.1");
    invariant(host !== undefined, "the loopback address");
    const listener = await listenTls(
      { clock, credentials: responder.leaf, port: 0, host },
      (connection, request) => responder.authenticator.handle(connection, request),
    );
    const to = socketAddress(host, listener.port);
    const signal = new AbortController().signal;
    const once = async () => {
      const outcome = await initiator.authenticator.dial(to, signal);
      invariant(outcome.kind === "proven", `an authentication: ${JSON.stringify(outcome)}`);
    };
    try {
      await rate(once, inFlight, quick ? 200 : 1_000);
      for (let run = 0; run < (quick ? 1 : 5); run++) {
        record(authentications, await rate(once, inFlight, quick ? 500 : 2_000));
      }
    } finally {
      await listener.close();
    }
  },
};
