/**
 * Somebody with a key of his own who keeps to the exchange and to datagrams, and shows what he
 * likes: what a node that was changed by its owner can do. It lives on virtual time and its network
 * loses nothing by itself, so it waits and asks otherwise than `e2e/adversary/rogue.ts`, which sits on
 * real sockets of a loaded machine; both are thin over the same `Authenticator`, `EpochKeys` and
 * `PeerKeys`, and have nothing else in common.
 *
 * @module
 */
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import { Counters } from "../../src/base/counters.ts";
import { milliseconds, wallTime } from "../../src/base/instant.ts";
import { ipScope } from "../../src/base/ip.ts";
import { signRecord } from "../../src/crypto/mod.ts";
import type { CborValue } from "../../src/wire/cbor.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import { encodeRecordPayload } from "../../src/wire/record.ts";
import { infoKind } from "../../src/wire/record_key.ts";
import { invariant } from "../../src/base/invariant.ts";
import {
  type AnswerMessage,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  noticeCodes,
  type RequestMessage,
} from "../../src/wire/message.ts";
import { decodeDatagram } from "../../src/wire/datagram.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import type { LeafCredentials } from "../../src/identity/mod.ts";
import { Authenticator } from "../../src/node/authenticator.ts";
import type { ReceivedDatagram } from "../../src/platform/network.ts";
import {
  type DatagramSource,
  EpochKeys,
  type ExchangeResult,
  PeerKeys,
} from "../../src/session/mod.ts";
import {
  formatSocketAddress,
  type SocketAddress,
  socketAddress,
} from "../../src/wire/socket_address.ts";
import { SeededEntropy } from "../fixtures/entropy.ts";
import { quietOwner } from "../fixtures/quiet_owner.ts";
import { plainInfo } from "./record_author.ts";
import { VirtualClock } from "./virtual_clock.ts";
import type { Machine } from "./world.ts";

/** What somebody answers to what he was asked; `undefined` = nothing. */
export type Conduct = (
  request: RequestMessage,
  from: DatagramSource,
) => AnswerMessage | undefined | Promise<AnswerMessage | undefined>;

/** How long a rogue waits for an answer. */
const answerWait = milliseconds(500);

/** A rogue on a machine of the world, whose node does not run. */
export class Rogue {
  readonly machine: Machine;
  /** Requests that came to it and were in order. */
  heard = 0;
  /** How it answers; pings only, unless it was told otherwise. */
  conduct: Conduct = (request, from) =>
    request.kind === "ping"
      ? { kind: "ping", seenIp: from.address.ip, seenPort: from.address.port }
      : undefined;
  readonly #keys = new Map<Machine, PeerKeys>();
  readonly #pending = new Map<string, (answer: Bytes) => Promise<void>>();
  #send: (bytes: Bytes, to: SocketAddress) => Promise<boolean> = () => Promise.resolve(false);
  #serial = 0;
  /** The `info` that it shows in exchanges. */
  #shown: Bytes = new Uint8Array(0);
  readonly #authenticator: Authenticator;
  readonly #clock: VirtualClock;
  readonly #entropy: SeededEntropy;
  readonly #epochKeys: EpochKeys;

  private constructor(machine: Machine, leaf: LeafCredentials) {
    this.machine = machine;
    this.#clock = new VirtualClock(machine.world.time);
    this.#entropy = new SeededEntropy([machine.world.seed, 66]);
    this.#epochKeys = EpochKeys.create(this.#entropy, machine.id, this.#clock.monotonic());
    const { identity, host, world } = machine;
    this.#authenticator = new Authenticator({
      self: { identity, leafHash: leaf.leafHash, bootNonce: this.#entropy.bytes(16) },
      clock: this.#clock,
      entropy: this.#entropy,
      dialer: world.streams.dialer(host, { leaf: leaf.leaf, root: leaf.root }),
      counters: new Counters(),
      owner: quietOwner({
        ownInfo: () => this.#shown,
        grantFor: (peer) => this.#epochKeys.grantFor(peer, this.#clock.monotonic()),
      }),
    });
  }

  /** Sets up there and answers pings at the machine's address. */
  static async on(machine: Machine): Promise<Rogue> {
    const rogue = new Rogue(machine, await machine.identity.newLeaf());
    const address = rogue.address;
    const socket = await machine.host.bindDatagram(address, "eth0");
    const answer = async ({ bytes, from }: ReceivedDatagram) => {
      const datagram = decodeDatagram(bytes);
      if (isDecodeError(datagram)) return;
      if (datagram.kind === "answer") {
        return await rogue.#pending.get(toHex(datagram.replyTag))?.(bytes);
      }
      if (datagram.kind !== "request") return;
      const opened = await rogue.#epochKeys.open(
        bytes,
        { address: from, interfaceName: "eth0" },
        () => true,
        rogue.#clock.monotonic(),
      );
      if (opened.kind !== "request") return;
      rogue.heard++;
      const request = decodeRequest(opened.request.message);
      if (isDecodeError(request)) return;
      const reply = await rogue.conduct(request, opened.request.source);
      if (reply === undefined) return;
      await socket.send(
        await rogue.#epochKeys.sealAnswer(opened.request, encodeAnswer(reply)),
        from,
      );
    };
    rogue.#send = (bytes, to) => socket.send(bytes, to);
    const serving = (async () => {
      for await (const datagram of socket.received()) await answer(datagram);
    })();
    serving.catch((error: unknown) => machine.world.failures.push(`rogue: ${String(error)}`));
    return rogue;
  }

  get address(): SocketAddress {
    const [at] = this.machine.host.attachments;
    const own = at?.ips[0];
    invariant(own !== undefined, "a rogue's machine has an address");
    return socketAddress(own, this.machine.port, "eth0");
  }

  /** A record of its own, of its newest serial. */
  async record(kind: number, body: CborValue): Promise<Bytes> {
    const wall = this.#clock.wall();
    this.#serial = Math.max(this.#serial + 1, Math.floor(wall));
    return await signRecord(
      this.machine.identity,
      encodeRecordPayload({
        kind,
        subject: new Uint8Array(0),
        serial: this.#serial,
        signedAt: wallTime(Math.floor(wall)),
        body,
      }),
    );
  }

  /** Its `info`, which says where it is. */
  info(): Promise<Bytes> {
    const { ip, port } = this.address;
    const endpoints = [{ ip, port, scope: ipScope(ip) }];
    return this.record(infoKind, encodeInfo({ ...plainInfo(this.machine.name), endpoints }));
  }

  /** Dials the victim and becomes its neighbour. */
  async befriend(victim: Machine): Promise<void> {
    const keys = new PeerKeys(this.#entropy);
    this.#keys.set(victim, keys);
    keys.adopt(
      (await this.exchange(victim, await this.info())).theirs.grant,
      this.#clock.monotonic(),
    );
  }

  /** Asks a victim that it has befriended; a cookie that is wanted is brought. */
  async ask(victim: Machine, request: RequestMessage): Promise<AnswerMessage | undefined> {
    const keys = this.#keys.get(victim);
    const to = addressOf(victim);
    invariant(keys !== undefined, "the victim was befriended");
    const path = `${formatSocketAddress(this.address)} ${formatSocketAddress(to)}`;
    for (let tries = 0; tries < 3; tries++) {
      const now = this.#clock.monotonic();
      const sealed = await keys.sealRequest(encodeRequest(request), path, now);
      if (sealed === undefined) return undefined;
      const { pending } = sealed;
      const arrival = Promise.withResolvers<AnswerMessage | undefined>();
      this.#pending.set(pending.replyTag, async (bytes) => {
        const outcome = await keys.openAnswer(pending, bytes, this.#clock.monotonic());
        if (outcome.kind !== "answer") return arrival.resolve(undefined);
        const answer = decodeAnswer(outcome.message);
        arrival.resolve(isDecodeError(answer) ? undefined : answer);
      });
      const callOff = this.machine.world.time.after(answerWait, () => arrival.resolve(undefined));
      await this.#send(sealed.bytes, to);
      const answer = await arrival.promise;
      callOff();
      this.#pending.delete(pending.replyTag);
      const again = answer?.kind === "notice" && answer.code === noticeCodes.cookieNeeded;
      if (answer !== undefined && !again) return answer;
    }
    return undefined;
  }

  /** Dials the victim and shows `info` inside the exchange. */
  async exchange(victim: Machine, info: Bytes): Promise<ExchangeResult> {
    this.#shown = info;
    const outcome = await this.#authenticator.dial(addressOf(victim), new AbortController().signal);
    invariant(outcome.kind === "proven", "the victim finishes the exchange");
    return outcome.result;
  }
}

/** Where the machine's node listens. */
function addressOf(machine: Machine): SocketAddress {
  const own = machine.host.attachments[0]?.ips[0];
  invariant(own !== undefined, "a victim has an address");
  return socketAddress(own, machine.port);
}
