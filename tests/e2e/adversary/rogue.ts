/**
 * An attacker with a genuine identity of its own: it speaks the protocol through the project's own
 * modules, proves itself, and then does what it likes. On real sockets, with what real time asks for:
 * tries and waits. In simulated worlds it is `sim/rogue.ts`, which says why the two are not one.
 *
 * @module
 */
import { type Bytes, toHex } from "../../../src/base/bytes.ts";
import { Counters } from "../../../src/base/counters.ts";
import { isDecodeError } from "../../../src/base/decode.ts";
import type { Instant } from "../../../src/base/instant.ts";
import { wallTime } from "../../../src/base/instant.ts";
import { signRecord } from "../../../src/crypto/mod.ts";
import { SystemClock, SystemEntropy, TlsDialer } from "../../../src/host/mod.ts";
import { listenTls, type TlsListener } from "../../../src/host/tls_listener.ts";
import { type Identity, type LeafCredentials, newIdentity } from "../../../src/identity/mod.ts";
import { Authenticator, type DialOutcome } from "../../../src/node/authenticator.ts";
import {
  EpochKeys,
  type ExchangeResult,
  type OpenedRequest,
  PeerKeys,
} from "../../../src/session/mod.ts";
import type { CborValue } from "../../../src/wire/cbor.ts";
import { decodeCoseSign1 } from "../../../src/wire/cose_sign1.ts";
import { decodeDatagram } from "../../../src/wire/datagram.ts";
import { decodeInfo, encodeInfo, type InfoBody } from "../../../src/wire/info.ts";
import {
  type AnswerMessage,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  noticeCodes,
  type RequestMessage,
} from "../../../src/wire/message.ts";
import type { NodeId } from "../../../src/wire/node_id.ts";
import { decodeRecordPayload, encodeRecordPayload } from "../../../src/wire/record.ts";
import { formatSocketAddress, type SocketAddress } from "../../../src/wire/socket_address.ts";
import { quietOwner } from "../../fixtures/quiet_owner.ts";
import { eventually } from "../eventually.ts";
import type { NodeProcess } from "../node_process.ts";
import { type HeardDatagram, ipOf, UdpPort } from "./udp_port.ts";

/** Tries of a request, and how long each waits: a loaded machine is slow. */
const askTries = 8;
const askWaitMs = 500;

const clock = new SystemClock();
const entropy = new SystemEntropy();

/** How a rogue behaves. */
export interface RogueOptions {
  /** Loopback address that it lives at. */
  readonly ip?: string;
  /** What its `info` says, where that differs from the harmless. */
  readonly info?: Partial<InfoBody>;
  /** The `info` record shown in exchanges, instead of a genuine one of its own. */
  readonly shown?: Bytes;
  /** Its boot nonce, 16 bytes; random if left out. */
  readonly bootNonce?: Bytes;
  /** Opens a TLS port (at the UDP port) so that it can be dialled. */
  readonly dialable?: boolean;
  readonly identity?: Identity;
}

/** What a record of the rogue's says. */
export interface RogueRecord {
  readonly kind?: number;
  readonly subject?: Bytes;
  readonly serial: number;
  readonly signedAt?: number;
  readonly body?: CborValue;
}

/** Whom the rogue has proven itself to. */
export class Met {
  readonly result: ExchangeResult;
  readonly address: SocketAddress;
  /** Every request sent by `ask`, as it left. */
  readonly sent: Bytes[] = [];
  readonly #rogue: Rogue;
  readonly #keys: PeerKeys;

  constructor(rogue: Rogue, keys: PeerKeys, result: ExchangeResult, address: SocketAddress) {
    this.#rogue = rogue;
    this.#keys = keys;
    this.result = result;
    this.address = address;
  }

  /** Seals a message; `path` names whose cookie goes with it (of a socket that has asked before). */
  async seal(message: Bytes, path: string) {
    const sealed = await this.#keys.sealRequest(message, path, clock.monotonic());
    if (sealed === undefined) throw new Error("The rogue has no grant");
    return sealed;
  }

  /** Seals a message as if the node's clock were so many milliseconds further on. */
  async sealAt(message: Bytes, aheadMs: number) {
    const keys = new PeerKeys(entropy);
    const now = clock.monotonic();
    keys.adopt({ ...this.result.theirs.grant, time: this.result.theirs.grant.time + aheadMs }, now);
    const sealed = await keys.sealRequest(message, "another time", now);
    if (sealed === undefined) throw new Error("The rogue has no grant");
    return sealed;
  }

  /** The path of a socket, by which its cookies are kept. */
  pathOf(port: UdpPort): string {
    return formatSocketAddress(port.address);
  }

  /** Asks from one of the rogue's sockets, with a cookie if need be; `undefined` if unanswered. */
  async ask(
    request: RequestMessage,
    from: UdpPort = this.#rogue.udp,
  ): Promise<AnswerMessage | undefined> {
    for (let tries = 0; tries < askTries; tries++) {
      const { bytes, pending } = await this.seal(encodeRequest(request), this.pathOf(from));
      this.sent.push(bytes);
      await from.send(bytes, this.address);
      const heard = await from.take(({ bytes }) => isAnswerTo(bytes, pending.replyTag), askWaitMs);
      if (heard === undefined) continue;
      const outcome = await this.#keys.openAnswer(pending, heard.bytes, clock.monotonic());
      if (outcome.kind !== "answer") continue;
      const answer = decodeAnswer(outcome.message);
      if (isDecodeError(answer)) throw new Error(`An honest node said ${answer.reason}`);
      if (answer.kind === "notice" && answer.code === noticeCodes.cookieNeeded) continue;
      return answer;
    }
    return undefined;
  }
}

/** Reads what an honest node says of itself. */
export function infoOf(record: Bytes): InfoBody {
  const envelope = decodeCoseSign1(record);
  const payload = isDecodeError(envelope) ? envelope : decodeRecordPayload(envelope.payload);
  const info = isDecodeError(payload) ? payload : decodeInfo(payload.body);
  if (isDecodeError(info)) throw new Error(`An honest node said ${info.reason}`);
  return info;
}

/** Whether the datagram is the answer that bears this tag. */
export function isAnswerTo(bytes: Bytes, replyTag: string): boolean {
  const datagram = decodeDatagram(bytes);
  return !isDecodeError(datagram) && datagram.kind === "answer" &&
    toHex(datagram.replyTag) === replyTag;
}

/** An attacker with a key of its own. Dispose of it: its sockets close. */
export class Rogue implements AsyncDisposable {
  readonly identity: Identity;
  readonly leaf: LeafCredentials;
  readonly udp: UdpPort;
  readonly bootNonce: Bytes;
  /** Requests that honest nodes sent it, opened. */
  readonly asked: { readonly request: RequestMessage; readonly bytes: Bytes }[] = [];
  /** Sealed answers as they were sent. */
  readonly answered: Bytes[] = [];
  /** How often somebody finished an exchange that he had dialled. */
  accepted = 0;
  /** What it answers; `undefined` stays silent. A link is kept by answering as an honest node. */
  behave: (request: RequestMessage, from: SocketAddress) => AnswerMessage | undefined = obliging;
  /** Sees the sealed bytes of a request to it before it is answered. */
  onRequest: (datagram: HeardDatagram) => void = () => {};
  #info: Bytes = new Uint8Array(0);
  readonly #authenticator: Authenticator;
  readonly #epochKeys: EpochKeys;
  readonly #opening = new Set<Promise<void>>();
  #listener: TlsListener | undefined;

  private constructor(identity: Identity, leaf: LeafCredentials, options: RogueOptions) {
    this.identity = identity;
    this.leaf = leaf;
    this.bootNonce = options.bootNonce ?? entropy.bytes(16);
    this.udp = new UdpPort(options.ip);
    this.#epochKeys = EpochKeys.create(entropy, identity.id, this.#now());
    this.#authenticator = new Authenticator({
      self: { identity, leafHash: leaf.leafHash, bootNonce: this.bootNonce },
      clock,
      entropy,
      dialer: new TlsDialer({ clock, credentials: leaf }),
      counters: new Counters(),
      owner: quietOwner({
        ownInfo: () => this.#info,
        grantFor: (peer) => this.#epochKeys.grantFor(peer, this.#now()),
        handleAccepted: () => this.accepted++,
      }),
    });
    this.udp.onDatagram = (datagram) => this.#take(datagram);
  }

  /** A new attacker with a new key. */
  static async create(options: RogueOptions = {}): Promise<Rogue> {
    const identity = options.identity ?? await newIdentity();
    const rogue = new Rogue(identity, await identity.newLeaf(), options);
    rogue.#info = options.shown ??
      await rogue.sign({ serial: Date.now(), body: encodeInfo(rogue.describe(options.info)) });
    if (options.dialable === true) {
      rogue.#listener = await listenTls(
        { clock, credentials: rogue.leaf, port: rogue.udp.port, host: ipOf("127.0.0.1") },
        (connection, request) => rogue.#authenticator.handle(connection, request),
      );
    }
    return rogue;
  }

  get id(): NodeId {
    return this.identity.id;
  }

  #now(): Instant {
    return clock.monotonic();
  }

  /** What it says of itself. */
  describe(changed: Partial<InfoBody> = {}): InfoBody {
    return {
      name: "rogue",
      endpoints: [{ ...this.udp.address, scope: "loopback" }],
      observed: [],
      capabilities: [],
      software: { version: "0.0.0", seq: 0, target: "none" },
      bootNonce: this.bootNonce,
      labels: new Map(),
      platform: { os: "none", arch: "none" },
      ...changed,
    };
  }

  /** A record signed with its own key. */
  sign(record: RogueRecord): Promise<Bytes> {
    const payload = encodeRecordPayload({
      kind: record.kind ?? 0,
      subject: record.subject ?? new Uint8Array(0),
      serial: record.serial,
      signedAt: wallTime(record.signedAt ?? Date.now()),
      body: record.body ?? encodeInfo(this.describe()),
    });
    return signRecord(this.identity, payload);
  }

  /** Dials a TCP port of loopback and runs an exchange, as an honest node would. */
  async dial(port: number): Promise<DialOutcome> {
    const address = { ip: ipOf("127.0.0.1"), port };
    return await this.#authenticator.dial(address, AbortSignal.timeout(15_000));
  }

  /** Proves itself to a node; from then on it can send it sealed datagrams. */
  async meet(node: { readonly port: number }): Promise<Met> {
    const outcome = await this.dial(node.port);
    if (outcome.kind !== "proven") {
      throw new Error(`The rogue was not let in: ${"detail" in outcome ? outcome.detail : ""}`);
    }
    const { result, place } = outcome;
    const keys = new PeerKeys(entropy);
    keys.adopt(result.theirs.grant, this.#now());
    return new Met(this, keys, result, place.remote);
  }

  /** Proves itself to a node and waits until that holds a link with it. */
  async linkWith(node: { readonly port: number; readonly process: NodeProcess }): Promise<Met> {
    const met = await this.meet(node);
    await eventually("a link with the rogue", async () => {
      return (await node.process.links()).some(({ id }) => id === this.id);
    });
    return met;
  }

  #take(datagram: HeardDatagram): boolean {
    const decoded = decodeDatagram(datagram.bytes);
    if (isDecodeError(decoded) || decoded.kind !== "request") return false;
    this.onRequest(datagram);
    const opening = this.#open(datagram).finally(() => this.#opening.delete(opening));
    this.#opening.add(opening);
    return true;
  }

  async #open({ bytes, from }: HeardDatagram): Promise<void> {
    const source = { address: from, interfaceName: "lo" };
    const outcome = await this.#epochKeys.open(bytes, source, () => true, this.#now());
    if (outcome.kind !== "request") return;
    const request = decodeRequest(outcome.request.message);
    if (isDecodeError(request)) return;
    this.asked.push({ request, bytes });
    const answer = this.behave(request, from);
    if (answer !== undefined) await this.answer(outcome.request, answer);
  }

  /** Seals an answer and sends it to where the request came from. */
  async answer(opened: OpenedRequest, answer: AnswerMessage): Promise<void> {
    const bytes = await this.#epochKeys.sealAnswer(opened, encodeAnswer(answer));
    this.answered.push(bytes);
    await this.udp.send(bytes, opened.source.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close();
    await this.udp[Symbol.asyncDispose]();
    await Promise.all(this.#opening);
  }
}

/** Answers so that a link comes about and lasts, and no record ever moves. */
export function obliging(request: RequestMessage, from: SocketAddress): AnswerMessage | undefined {
  switch (request.kind) {
    case "ping":
      return { kind: "ping", seenIp: from.ip, seenPort: from.port };
    case "probe":
      return request;
    case "compare":
      return {
        kind: "compare",
        kinds: request.kinds,
        results: request.ranges.map(() => ({ kind: "equal" })),
        held: request.held,
      };
    case "fetch":
      return { kind: "fetch", records: [] };
    case "push":
      return { kind: "push", accepted: 0 };
    case "relay":
      return { kind: "relay", datagram: new Uint8Array(0) };
    default:
      return { kind: request.kind };
  }
}
