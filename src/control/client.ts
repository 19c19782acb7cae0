/**
 * A node's control at the other end of its control socket. What comes back is believed only in the
 * shape that `report.ts` says; fields it does not name pass through.
 *
 * @module
 */
import { type Guard, isFields, parseJson } from "../base/json_guard.ts";
import {
  type ControlFailure,
  controlFailure,
  type NodeControl,
  type PingOptions,
} from "./control.ts";
import { listingTimeoutMs } from "./limits.ts";
import type {
  ForgetReport,
  LinksReport,
  NodeDetail,
  NodeEvent,
  NodesReport,
  PingLoss,
  PingReply,
  StatusReport,
} from "./report.ts";
import {
  isFailureReport,
  isForgetReport,
  isLinksReport,
  isNodeDetail,
  isNodeEvent,
  isNodesReport,
  isPingLoss,
  isPingReply,
  isStatusReport,
} from "./report_guard.ts";

/** How long a single answer may take, but for lists of all nodes. */
const answerTimeoutMs = 20_000;

/** Sends a request over the control socket; rejects if that breaks. */
export type ControlRequester = (
  method: "GET" | "POST",
  path: string,
  signal: AbortSignal,
) => Promise<Response>;

function isAny(value: unknown): value is object {
  return isFields(value);
}

function brokenFailure(error: unknown, timeoutMs?: number): ControlFailure {
  if (
    timeoutMs !== undefined && error instanceof DOMException && error.name === "TimeoutError"
  ) {
    return controlFailure("timeout", `The node did not answer within ${timeoutMs / 1_000} s`);
  }
  return controlFailure("failed", "The node ended before it answered");
}

/** A node's control at the other end of its control socket. */
export class RemoteControl implements NodeControl {
  readonly #request: ControlRequester;

  constructor(request: ControlRequester) {
    this.#request = request;
  }

  async #ask<T extends object>(
    method: "GET" | "POST",
    path: string,
    guard: Guard<T>,
    timeoutMs = answerTimeoutMs,
  ): Promise<T | ControlFailure> {
    let text: string;
    try {
      const answer = await this.#request(
        method,
        `/v1/${path}`,
        AbortSignal.timeout(timeoutMs),
      );
      text = await answer.text();
    } catch (error) {
      return brokenFailure(error, timeoutMs);
    }
    const value = parseJson(text);
    if (isFailureReport(value)) return value;
    if (guard(value)) return value;
    return controlFailure("failed", "The node answered in a form that this version does not know");
  }

  async *#stream<T extends object>(
    guard: Guard<T>,
    opened: Promise<Response>,
    signal: AbortSignal,
  ): AsyncGenerator<T | ControlFailure> {
    try {
      const answer = await opened;
      for await (const line of linesOf(answer)) {
        const value = parseJson(line);
        // A line of another shape is a newer node's news: passed over, as a reader of events must.
        if (isFailureReport(value) || guard(value)) yield value;
      }
    } catch (error) {
      if (!signal.aborted) yield brokenFailure(error);
    }
  }

  #open<T extends object>(
    method: "GET" | "POST",
    path: string,
    guard: Guard<T>,
    signal: AbortSignal,
  ): AsyncIterable<T | ControlFailure> {
    const opened = this.#request(method, `/v1/${path}`, signal);
    // Read in `#stream`; a consumer that never reads must not turn a broken socket into a crash.
    opened.catch(() => {});
    return this.#stream(guard, opened, signal);
  }

  status(): Promise<StatusReport | ControlFailure> {
    return this.#ask("GET", "status", isStatusReport);
  }

  nodes(): Promise<NodesReport | ControlFailure> {
    return this.#ask("GET", "nodes", isNodesReport, listingTimeoutMs);
  }

  node(argument: string): Promise<NodeDetail | ControlFailure> {
    return this.#ask("GET", `node?${new URLSearchParams({ node: argument })}`, isNodeDetail);
  }

  links(): Promise<LinksReport | ControlFailure> {
    return this.#ask("GET", "links", isLinksReport);
  }

  ping(
    argument: string,
    options: PingOptions,
    signal: AbortSignal,
  ): AsyncIterable<PingReply | PingLoss | ControlFailure> {
    const query = new URLSearchParams({ node: argument, intervalMs: String(options.intervalMs) });
    if (options.count !== undefined) query.set("count", String(options.count));
    const isItem = (value: unknown): value is PingReply | PingLoss =>
      isPingReply(value) || isPingLoss(value);
    return this.#open("POST", `ping?${query}`, isItem, signal);
  }

  watch(signal: AbortSignal): AsyncIterable<NodeEvent | ControlFailure> {
    return this.#open("GET", "watch", isNodeEvent, signal);
  }

  forget(argument: string): Promise<ForgetReport | ControlFailure> {
    return this.#ask("POST", `forget?${new URLSearchParams({ node: argument })}`, isForgetReport);
  }

  stop(): Promise<ControlFailure | undefined> {
    return this.#tell("stop");
  }

  restart(): Promise<ControlFailure | undefined> {
    return this.#tell("restart");
  }

  async #tell(what: string): Promise<ControlFailure | undefined> {
    const result = await this.#ask("POST", what, isAny);
    return isFailureReport(result) ? result : undefined;
  }
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = "";
  for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
