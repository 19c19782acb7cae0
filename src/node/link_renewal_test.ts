import { assert, assertEquals } from "@std/assert";
import { idOf, ip } from "../../tests/sim/beacon_bus.ts";
import { VirtualClock, VirtualTime } from "../../tests/sim/virtual_clock.ts";
import { SeededEntropy } from "../../tests/fixtures/entropy.ts";
import { provenBy } from "../../tests/fixtures/proven.ts";
import { RecordAuthor } from "../../tests/sim/record_author.ts";
import { minutes, scaled, seconds } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import { type SocketAddress, socketAddress } from "../wire/socket_address.ts";
import type { AuthenticationOutcome } from "../sync/mod.ts";
import type { DialOutcome } from "./authenticator.ts";
import { Background } from "./background.ts";
import { dialBackAfter, dialBackBackoff, dialBackTries, reproveEvery } from "./limits.ts";
import { LinkRenewal } from "./link_renewal.ts";
import { PeerTable } from "./peer.ts";

const address = socketAddress(ip("10.0.0.2"), 7411);
const failed: DialOutcome = { kind: "failed", why: "timeout", detail: "" };

/** Renewals with one peer that dialled; `dials` is when it was dialled from here, in ms. */
function renewals() {
  const time = new VirtualTime(() => Promise.resolve());
  const clock = new VirtualClock(time);
  const peers = new PeerTable(new SeededEntropy([1]));
  const peer = peers.open(idOf(2));
  peers.link(peer);
  peer.address = address;
  const dials: number[] = [];
  const told: AuthenticationOutcome[] = [];
  /** How dials end, one after the other; the last one's end is that of all that follow. */
  const state = {
    isLate: false,
    ends: [failed],
    others: [] as readonly SocketAddress[],
    isProvenMeanwhile: false,
  };
  const renewal = new LinkRenewal({
    clock,
    background: new Background((what, error) => {
      throw new Error(what, { cause: error });
    }),
    prng: new Prng([1]),
    peers,
    owner: {
      dial: () => {
        dials.push(time.now);
        if (state.isProvenMeanwhile) peer.dialledAt = address;
        return Promise.resolve(state.ends[dials.length - 1] ?? failed);
      },
      addressesOf: () => state.others,
      isLate: () => state.isLate,
      handleConnected: () => {},
      handleAuthentication: (_, outcome) => void told.push(outcome),
    },
  });
  /** Lets so many milliseconds pass. */
  const run = async (length: number) => {
    const end = time.now + length;
    for (let due = renewal.nextTimeout(); due !== undefined; due = renewal.nextTimeout()) {
      const wait = due - clock.monotonic();
      if (time.now + wait > end) break;
      await time.advance(scaled(seconds(1), Math.max(0, wait) / 1_000));
      renewal.handleTimeout(clock.monotonic());
      await time.advance(seconds(0));
    }
    await time.advance(scaled(seconds(1), (end - time.now) / 1_000));
  };
  return { clock, dials, peer, renewal, run, state, told };
}

Deno.test("a link that only the peer dialled is dialled back soon, and not for ever if that fails", async () => {
  const { dials, peer, renewal, run } = renewals();
  renewal.handleProven(peer, true);
  await run(1.5 * dialBackAfter);
  assertEquals(dials.length, 1);
  assert((dials[0] ?? 0) >= 0.5 * dialBackAfter);
  await run(1.5 * dialBackAfter * (dialBackBackoff + dialBackBackoff ** 2));
  assertEquals(dials.length, dialBackTries);
  await run(minutes(60));
  assertEquals(dials.length, dialBackTries);
  await run(1.1 * reproveEvery);
  assertEquals(dials.length, dialBackTries + 1);
});

Deno.test("a link that was dialled from here is not dialled again that day", async () => {
  const { dials, peer, renewal, run } = renewals();
  renewal.handleProven(peer, true);
  peer.dialledAt = address;
  renewal.handleProven(peer, false);
  await run(minutes(60));
  assertEquals(dials, []);
});

Deno.test("who was dialled for another reason while a dial back failed is not dialled back again", async () => {
  const { dials, peer, renewal, run, state } = renewals();
  state.isProvenMeanwhile = true;
  renewal.handleProven(peer, true);
  await run(minutes(60));
  assertEquals(dials.length, 1);
});

Deno.test("a process that runs late dials nobody back until it does no more", async () => {
  const { dials, peer, renewal, run, state } = renewals();
  state.isLate = true;
  renewal.handleProven(peer, true);
  await run(20 * dialBackAfter);
  assertEquals(dials, []);
  state.isLate = false;
  await run(1.5 * dialBackAfter);
  assertEquals(dials.length, 1);
});

Deno.test("what a set clock asks for does not wait for a process that runs late", async () => {
  const { clock, dials, peer, renewal, run, state } = renewals();
  state.isLate = true;
  renewal.handleProven(peer, true);
  renewal.renewAll(clock.monotonic());
  await run(1);
  assertEquals(dials.length, 1);
});

Deno.test("a link that is over is not dialled back", async () => {
  const { dials, peer, renewal, run } = renewals();
  renewal.handleProven(peer, true);
  renewal.handleUnlink(peer.id);
  assertEquals(renewal.nextTimeout(), undefined);
  await run(minutes(60));
  assertEquals(dials, []);
});

Deno.test("a refusal counts where the peer is talked to, and nowhere else", async () => {
  const refused: DialOutcome = { kind: "failed", why: "refused", detail: "" };
  for (
    const [ends, dialled, outcome] of [
      [[refused], 1, { kind: "refused", address }],
      [[failed, refused], 2, { kind: "failed" }],
    ] as const
  ) {
    const { dials, peer, renewal, state, told } = renewals();
    state.others = [socketAddress(ip("10.0.0.3"), 7411)];
    state.ends = [...ends];
    await renewal.authenticate(peer);
    assertEquals([dials.length, told], [dialled, [outcome]]);
  }
});

Deno.test("another node at the peer's address does not finish its exchange", async () => {
  const { peer, renewal, state, told } = renewals();
  const result = provenBy(await RecordAuthor.create(3));
  state.ends = [{ kind: "proven", result, place: { local: address, remote: address } }];
  await renewal.authenticate(peer);
  assertEquals(told, [{ kind: "failed" }]);
});
