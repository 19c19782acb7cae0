/**
 * Answers the requests of the control socket: single answers are JSON objects, `ping` and `watch`
 * are streams of one JSON object a line. The list of all nodes is one object that is written slice by
 * slice, as fast as it is read.
 *
 * Decides nothing: names are resolved and requests judged by the node. Who may ask is the socket's
 * matter.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import {
  type ControlErrorCode,
  type ControlFailure,
  controlFailure,
  isControlFailure,
  type NodeControl,
  type ServedControl,
} from "./control.ts";
import { listingTimeoutMs } from "./limits.ts";
import type { NodeEntry } from "./report.ts";

/** Characters of a NODE argument: an id has 52, a name at most 64 bytes. */
const argumentLengthMax = 256;
/** Pings of one request; a day of ten a second. */
const pingCountMax = 1_000_000;
/** An hour between two pings. */
const pingIntervalMsMax = 3_600_000;
/** Ten milliseconds: a ping is not a flood. */
const pingIntervalMsMin = 10;

const statusOfCode: Readonly<Record<ControlErrorCode, number>> = {
  "no-such-node": 404,
  "ambiguous": 409,
  "no-route": 503,
  "timeout": 504,
  "refused": 403,
  "not-unreachable": 409,
  "not-implemented": 501,
  "bad-request": 400,
  "failed": 500,
};

function jsonAnswer(result: object): Response {
  const status = isControlFailure(result) ? statusOfCode[result.error.code] : 200;
  return Response.json(result, { status });
}

function failureOf(error: unknown): ControlFailure {
  return controlFailure("failed", error instanceof Error ? error.message : String(error));
}

/** One JSON object a line, for as long as both sides want it. */
function streamAnswer(
  items: (signal: AbortSignal) => AsyncIterable<object>,
  closing: AbortSignal,
): Response {
  const reader = new AbortController();
  const signal = AbortSignal.any([reader.signal, closing]);
  // Asked for at once: what happens from here on is in the stream.
  const iterator = items(signal)[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(sink) {
      try {
        const next = await iterator.next();
        if (reader.signal.aborted) return;
        if (next.done === true) sink.close();
        else sink.enqueue(utf8(`${JSON.stringify(next.value)}\n`));
      } catch (error) {
        sink.enqueue(utf8(`${JSON.stringify(failureOf(error))}\n`));
        sink.close();
      }
    },
    cancel() {
      reader.abort();
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}

/** The report of `nodes` in pieces. */
async function* nodesText(
  first: IteratorResult<readonly NodeEntry[] | ControlFailure>,
  slices: AsyncIterator<readonly NodeEntry[] | ControlFailure>,
): AsyncGenerator<string> {
  let before = '{"nodes":[';
  for (let next = first; next.done !== true; next = await slices.next()) {
    if (isControlFailure(next.value)) throw new Error(next.value.error.message);
    if (next.value.length === 0) continue;
    yield before + next.value.map((entry) => JSON.stringify(entry)).join(",");
    before = ",";
  }
  yield before === "," ? "]}" : `${before}]}`;
}

/**
 * The report of `nodes`, made as fast as it is read. It ends as soon as nobody reads it, the socket
 * closes or it takes too long; what was sent by then is no whole object.
 */
async function nodesAnswer(
  control: ServedControl,
  closing: AbortSignal,
): Promise<Response> {
  const reader = new AbortController();
  const limit = AbortSignal.timeout(listingTimeoutMs);
  const signal = AbortSignal.any([reader.signal, closing, limit]);
  const slices = control.nodesInSlices(signal)[Symbol.asyncIterator]();
  const first = await slices.next();
  if (first.done !== true && isControlFailure(first.value)) {
    await slices.return?.();
    return jsonAnswer(first.value);
  }
  const texts = nodesText(first, slices);
  const body = new ReadableStream<Uint8Array>({
    start(sink) {
      const end = () => {
        sink.error(signal.reason);
        // Somebody who stands still asks for no more slices: they must not wait for him. It does not
        // reject: nothing is done after the last slice but to count one list less.
        void slices.return?.();
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    },
    async pull(sink) {
      try {
        const next = await texts.next();
        if (next.done === true) sink.close();
        else sink.enqueue(utf8(next.value));
      } catch (error) {
        sink.error(error);
      }
    },
    cancel() {
      reader.abort();
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function wholeNumber(text: string | null, low: number, high: number): number | undefined {
  const value = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return value >= low && value <= high ? value : undefined;
}

function pingAnswer(
  control: NodeControl,
  argument: string,
  query: URLSearchParams,
  closing: AbortSignal,
): Response {
  const intervalMs = wholeNumber(query.get("intervalMs"), pingIntervalMsMin, pingIntervalMsMax);
  const count = wholeNumber(query.get("count"), 1, pingCountMax);
  if (intervalMs === undefined || (query.has("count") && count === undefined)) {
    return jsonAnswer(controlFailure("bad-request", "The count or the interval is out of range"));
  }
  const options = count === undefined ? { intervalMs } : { count, intervalMs };
  return streamAnswer((signal) => control.ping(argument, options, signal), closing);
}

/**
 * Answers one request. Never rejects.
 *
 * @param closing Aborts when the socket closes: streams end.
 */
export async function answerControl(
  request: Request,
  control: ServedControl,
  closing: AbortSignal,
): Promise<Response> {
  const url = new URL(request.url);
  const argument = url.searchParams.get("node") ?? "";
  const needsNode = /^\/v1\/(?:node|ping|forget)$/.test(url.pathname);
  if (needsNode && (argument === "" || argument.length > argumentLengthMax)) {
    return jsonAnswer(controlFailure("bad-request", "The request names no node"));
  }
  try {
    switch (`${request.method} ${url.pathname}`) {
      case "GET /v1/status":
        return jsonAnswer(await control.status());
      case "GET /v1/nodes":
        return await nodesAnswer(control, closing);
      case "GET /v1/node":
        return jsonAnswer(await control.node(argument));
      case "GET /v1/links":
        return jsonAnswer(await control.links());
      case "POST /v1/ping":
        return pingAnswer(control, argument, url.searchParams, closing);
      case "GET /v1/watch":
        return streamAnswer((signal) => control.watch(signal), closing);
      case "POST /v1/forget":
        return jsonAnswer(await control.forget(argument));
      case "POST /v1/stop":
        return jsonAnswer(await control.stop() ?? {});
      case "POST /v1/restart":
        return jsonAnswer(await control.restart() ?? {});
      default:
        return jsonAnswer(
          controlFailure("not-implemented", "The running node does not know this request"),
        );
    }
  } catch (error) {
    return jsonAnswer(failureOf(error));
  }
}
