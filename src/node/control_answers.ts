/**
 * What the running node answers to its owner's command line.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding";
import {
  elapsed,
  formatWallTime,
  type Instant,
  later,
  milliseconds,
  type WallTime,
} from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";
import { formatSocketAddress } from "../wire/socket_address.ts";
import {
  type ControlFailure,
  controlFailure,
  isControlFailure,
  type PingOptions,
  type ServedControl,
} from "../control/mod.ts";
import { AnswerTurns } from "./answer_turns.ts";
import type { FleetView } from "./fleet_view.ts";
import { askWait, listingsMax, walkSlice } from "./limits.ts";
import type { Node } from "./node.ts";
import { entriesInSlices } from "./node_listing.ts";
import type {
  ForgetReport,
  LinkEntry,
  LinksReport,
  NodeDetail,
  NodeEntry,
  NodeEvent,
  NodesReport,
  PingLoss,
  PingReply,
  StatusReport,
} from "../control/mod.ts";

/** Facts of the process that the node itself does not hold. */
export interface ControlFacts {
  readonly clock: Clock;
  readonly name: string;
  readonly version: string;
  readonly seq: number;
  readonly target: string;
  readonly pid: number;
  readonly port: number;
  /** Since when the node is ready. */
  readonly readySince: Instant;
  /** The same by the calendar of then. */
  readonly readyAt: WallTime;
  /** Begins a clean stop; `restart` has the node say that it will be back. */
  readonly requestEnd: (how: "stopped" | "restart") => void;
}

/** The control of one node. */
export class ControlAnswers implements ServedControl {
  readonly #node: Node;
  readonly #facts: ControlFacts;
  readonly #turns: AnswerTurns;
  /** Lists of nodes that are being made. */
  #listings = 0;

  constructor(node: Node, facts: ControlFacts) {
    this.#node = node;
    this.#facts = facts;
    this.#turns = new AnswerTurns(() => node.breathe());
  }

  /** The fleet, as soon as that takes no long turn. */
  async #view(): Promise<FleetView> {
    await this.#node.fleet.whenRead();
    return this.#node.fleet.view;
  }

  /** The same, and how far everybody is. */
  async #viewWithPaths(): Promise<FleetView> {
    const view = await this.#view();
    while (view.reach.walk(walkSlice)) await this.#turns.next();
    return view;
  }

  async status(): Promise<StatusReport> {
    const { clock, readySince, name, version, seq, target, pid, port } = this.#facts;
    const view = await this.#view();
    return {
      id: this.#node.id,
      name,
      version,
      seq,
      target,
      pid,
      upMs: Math.round(elapsed(readySince, clock.monotonic())),
      port,
      membership: "open",
      interfaces: this.#node.interfaceEntries(),
      links: this.#node.peers.linkCount,
      known: view.known,
      reachable: view.reachable,
      update: { state: "none", seq, reason: "no trusted root" },
      warnings: this.#node.warnings.all(),
      counts: this.#node.counts(),
    };
  }

  async nodes(): Promise<NodesReport | ControlFailure> {
    const nodes: NodeEntry[] = [];
    for await (const slice of this.nodesInSlices(new AbortController().signal)) {
      if (isControlFailure(slice)) return slice;
      nodes.push(...slice);
    }
    return { nodes };
  }

  async *nodesInSlices(
    signal: AbortSignal,
  ): AsyncGenerator<readonly NodeEntry[] | ControlFailure> {
    if (this.#listings >= listingsMax) {
      yield controlFailure(
        "failed",
        `The node lists its nodes ${listingsMax} times at once already`,
      );
      return;
    }
    this.#listings++;
    try {
      const view = await this.#view();
      await this.#turns.next();
      for (const slice of entriesInSlices(view)) {
        if (slice.length > 0) yield slice;
        await this.#turns.next();
        signal.throwIfAborted();
      }
    } finally {
      this.#listings--;
    }
  }

  async node(argument: string): Promise<NodeDetail | ControlFailure> {
    const view = await this.#viewWithPaths();
    const node = view.resolve(argument);
    if (isControlFailure(node)) return node;
    const { record } = node;
    return {
      ...view.entry(node),
      record: {
        bytes: encodeBase64(record.bytes),
        author: record.author,
        serial: record.serial,
        signedAt: formatWallTime(record.signedAt),
      },
      links: view.linksOf(node.id),
    };
  }

  links(): Promise<LinksReport> {
    const now = this.#facts.clock.monotonic();
    const { view } = this.#node.fleet;
    const links = this.#node.peers.links().flatMap((peer): LinkEntry[] => {
      const health = this.#node.links.healthOf(peer.id);
      const { address, provenAt } = peer;
      if (health === undefined || address === undefined || provenAt === undefined) return [];
      const interfaceName = this.#node.interfaceTowards(peer);
      return [{
        id: peer.id,
        name: view.nameOf(peer.id),
        address: formatSocketAddress(address),
        ...interfaceName === undefined ? {} : { interface: interfaceName },
        direction: peer.direction,
        provenAt: formatWallTime(provenAt),
        rttMs: rounded(health.rtt ?? peer.provenRoundTripMs ?? 0),
        lastHeardMs: Math.max(0, Math.round(elapsed(health.lastHeard, now))),
        loss: Math.round(health.loss * 1_000) / 1_000,
        via: health.via === "tcp" ? "tcp" : "udp",
      }];
    });
    links.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1);
    return Promise.resolve({ links });
  }

  async *ping(
    argument: string,
    { count, intervalMs }: PingOptions,
    signal: AbortSignal,
  ): AsyncIterable<PingReply | PingLoss | ControlFailure> {
    const { clock } = this.#facts;
    const node = (await this.#viewWithPaths()).resolve(argument);
    if (isControlFailure(node)) {
      yield node;
      return;
    }
    for (let seq = 1; !signal.aborted && (count === undefined || seq <= count); seq++) {
      const next = later(clock.monotonic(), milliseconds(intervalMs));
      if (node.state === "self") {
        yield { seq, rttMs: 0, hops: 0, via: node.id };
      } else {
        const peer = this.#node.peers.get(node.id);
        if (peer?.linked !== true) {
          yield controlFailure("no-route", `There is no link with ${node.info.name}: no route`);
          return;
        }
        const outcome = await this.#node.asker.ask(peer, { kind: "ping" }, {
          tries: 1,
          wait: milliseconds(Math.max(askWait, Math.min(intervalMs, 5_000))),
        });
        yield outcome.kind === "answer"
          ? { seq, rttMs: rounded(outcome.roundTripMs), hops: 1, via: node.id }
          : { seq, lost: true };
      }
      const isLast = count !== undefined && seq >= count;
      if (!isLast) await clock.wait(next, signal);
    }
  }

  /** Begins with `ready`: nobody can watch before, and it tells the reader from when on it hears. */
  watch(signal: AbortSignal): AsyncIterable<NodeEvent> {
    const { readyAt, name, port } = this.#facts;
    const { id } = this.#node;
    const events = this.#node.events.watch(signal);
    async function* fromReadyOn(): AsyncGenerator<NodeEvent> {
      yield { at: formatWallTime(readyAt), event: "ready", id, name, port };
      yield* events;
    }
    return fromReadyOn();
  }

  async forget(argument: string): Promise<ForgetReport | ControlFailure> {
    const node = (await this.#viewWithPaths()).resolve(argument);
    if (isControlFailure(node)) return node;
    const { id, info: { name }, state } = node;
    if (state !== "unreachable") {
      return controlFailure(
        "not-unreachable",
        `${name} is ${state}; only an unreachable node can be forgotten`,
      );
    }
    try {
      await this.#node.forget(id);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return controlFailure("failed", `Forgotten until the next start only: ${reason}`);
    }
    return { id, name, forgotten: true };
  }

  stop(): Promise<undefined> {
    this.#facts.requestEnd("stopped");
    return Promise.resolve(undefined);
  }

  restart(): Promise<undefined> {
    this.#facts.requestEnd("restart");
    return Promise.resolve(undefined);
  }
}

/** Milliseconds with three digits behind the point: below a microsecond is noise. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
