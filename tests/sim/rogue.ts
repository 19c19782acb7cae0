/**
 * Somebody with a key of his own who keeps to the exchange and to datagrams, and shows what he
 * likes: what a node that was changed by its owner can do.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { invariant } from "../../src/base/invariant.ts";
import { decodeRequest, encodeAnswer } from "../../src/wire/message.ts";
import { decodeDatagram } from "../../src/wire/datagram.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import { isChainRefusal, judgeChain, type LeafCredentials } from "../../src/identity/mod.ts";
import type { ReceivedDatagram } from "../../src/platform/network.ts";
import {
  beginExchange,
  confirmExchange,
  EpochKeys,
  ExchangeRefusal,
  type ExchangeResult,
  finishExchange,
  PeerKeys,
} from "../../src/session/mod.ts";
import { type SocketAddress, socketAddress } from "../../src/wire/socket_address.ts";
import { SeededEntropy } from "../fixtures/entropy.ts";
import { VirtualClock } from "./virtual_clock.ts";
import type { Machine } from "./world.ts";

/** A rogue on a machine of the world, whose node does not run. */
export class Rogue {
  readonly machine: Machine;
  readonly keys: PeerKeys;
  /** Requests that came to it and were in order. */
  heard = 0;
  readonly #leaf: LeafCredentials;
  readonly #clock: VirtualClock;
  readonly #entropy: SeededEntropy;
  readonly #epochKeys: EpochKeys;

  private constructor(machine: Machine, leaf: LeafCredentials) {
    this.machine = machine;
    this.#leaf = leaf;
    this.#clock = new VirtualClock(machine.world.time);
    this.#entropy = new SeededEntropy([machine.world.seed, 66]);
    this.keys = new PeerKeys(this.#entropy);
    this.#epochKeys = EpochKeys.create(this.#entropy, machine.id, this.#clock.monotonic());
  }

  /** Sets up there and answers pings at the machine's address. */
  static async on(machine: Machine): Promise<Rogue> {
    const rogue = new Rogue(machine, await machine.identity.newLeaf());
    const address = rogue.address;
    const socket = await machine.host.bindDatagram(address, "eth0");
    const answer = async ({ bytes, from }: ReceivedDatagram) => {
      const datagram = decodeDatagram(bytes);
      if (isDecodeError(datagram) || datagram.kind !== "request") return;
      const opened = await rogue.#epochKeys.open(
        bytes,
        { address: from, interfaceName: "eth0" },
        () => true,
        rogue.#clock.monotonic(),
      );
      if (opened.kind !== "request") return;
      rogue.heard++;
      const request = decodeRequest(opened.request.message);
      if (isDecodeError(request) || request.kind !== "ping") return;
      const pong = encodeAnswer({ kind: "ping", seenIp: from.ip, seenPort: from.port });
      await socket.send(await rogue.#epochKeys.sealAnswer(opened.request, pong), from);
    };
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

  /** Dials the victim and shows `info` inside the exchange. */
  async exchange(victim: Machine, info: Bytes): Promise<ExchangeResult> {
    const { machine } = this;
    const chain = { leaf: this.#leaf.leaf, root: this.#leaf.root };
    const [at] = victim.host.attachments;
    const to = at?.ips[0];
    invariant(to !== undefined, "a victim has an address");
    const { signal } = new AbortController();
    const dialer = machine.world.streams.dialer(machine.host, chain);
    const connection = await dialer.dial(socketAddress(to, victim.port), signal);
    invariant(!("failed" in connection), "the victim answers");
    invariant(!("missing" in connection.chain), "the victim presents itself");
    const peer = await judgeChain(connection.chain);
    invariant(!isChainRefusal(peer), "the victim's chain is in order");
    const { binding } = connection;
    invariant(binding !== undefined, "connections here are bound");
    const bootNonce = this.#entropy.bytes(16);
    const begun = await beginExchange({
      self: { identity: machine.identity, leafHash: this.#leaf.leafHash, bootNonce },
      peer,
      binding,
      entropy: this.#entropy,
    });
    const m2 = await connection.request("POST", "/mesh/v1/exchange", begun.m1, signal);
    const confirmed = await confirmExchange(begun.state, m2.body, {
      membership: [],
      info,
      grant: await this.#epochKeys.grantFor(victim.id, this.#clock.monotonic()),
      wallTime: this.#clock.wall(),
      bootNonce,
    });
    invariant(!(confirmed instanceof ExchangeRefusal), "the exchange is in order");
    const m4 = await connection.request("POST", "/mesh/v1/confirm", confirmed.m3, signal);
    const result = await finishExchange(confirmed.state, m4.body);
    invariant(!(result instanceof ExchangeRefusal), "the victim finishes the exchange");
    connection.close();
    this.keys.adopt(result.theirs.grant, this.#clock.monotonic());
    return result;
  }
}
