/**
 * A node that runs, as who started it holds it: until it ends by itself or is stopped.
 *
 * @module
 */
import { type Instant, later, milliseconds } from "../base/instant.ts";
import { machine } from "../host/mod.ts";
import type { Clock } from "../platform/clock.ts";
import { productSeq, productVersion } from "../version.ts";
import { ControlAnswers } from "./control_answers.ts";
import { farewellWait } from "./limits.ts";
import type { Node } from "./node.ts";
import type { RunEnd, RunningNode, RunOptions } from "./run_options.ts";

/** What it consists of. */
export interface RunningParts {
  readonly clock: Clock;
  readonly name: string;
  readonly port: number;
  readonly options: RunOptions;
  /** Lock and port. */
  readonly undo: AsyncDisposableStack;
}

/** The node, its answers to commands, and its end. */
export class Running implements RunningNode {
  readonly name: string;
  readonly port: number;
  readonly control: ControlAnswers;
  readonly ended: Promise<RunEnd>;
  readonly #node: Node;
  readonly #parts: RunningParts;
  readonly #end: (end: RunEnd) => void;
  #farewell: "leaving" | "restarting" = "leaving";
  #stopping: Promise<void> | undefined;

  constructor(node: Node, parts: RunningParts) {
    const { clock, name, port, options } = parts;
    this.#node = node;
    this.#parts = parts;
    this.name = name;
    this.port = port;
    const { promise, resolve } = Promise.withResolvers<RunEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.control = new ControlAnswers(node, {
      clock,
      name,
      version: productVersion,
      seq: productSeq,
      target: machine.target,
      pid: machine.pid,
      port,
      readySince: clock.monotonic(),
      readyAt: clock.wall(),
      requestEnd: (end) => {
        if (end === "restart") this.#farewell = "restarting";
        resolve({ end });
      },
    });
    if (options.once !== undefined) {
      node.own(this.#once(later(clock.monotonic(), milliseconds(options.once.forMs))));
    }
  }

  get id() {
    return this.#node.id;
  }

  /** In step with one peer, or the time is over. */
  async #once(until: Instant): Promise<void> {
    const done = new AbortController();
    const inStep = await Promise.race([
      this.#node.inStep.then(() => true),
      this.#parts.clock.wait(until, done.signal).then(() => false),
    ]);
    done.abort();
    this.#end({ end: "once", inStep });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { clock, undo } = this.#parts;
    const limit = new AbortController();
    const done = new AbortController();
    const timer = clock.wait(later(clock.monotonic(), farewellWait), done.signal).then(() =>
      limit.abort()
    );
    try {
      await this.#node.stop(this.#farewell, limit.signal);
    } finally {
      done.abort();
      await timer;
      await undo.disposeAsync();
    }
  }
}
