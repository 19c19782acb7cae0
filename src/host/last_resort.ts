/**
 * The last resort for errors that reach nobody: the runtime ends the process for them, so one that
 * its TLS, HTTP or socket code throws at the wrong moment would let a stranger's connection end a
 * node.
 *
 * What is survived: errors thrown in the runtime's own network code, and errors that only tell what
 * the network did (reset, unreachable, timed out). No machine of ours calls network code, so none was
 * interrupted half way; what is lost is one connection, which its slot's or its request's time limit
 * cleans up. What is not survived: everything else, our own mistakes above all. After those nobody
 * knows what state is left, and the service manager starts a clean process. Work that the node owns
 * (`node/background.ts`) never gets here.
 *
 * @module
 */
import { elapsed, type Instant, seconds } from "../base/instant.ts";
import type { Clock } from "../platform/clock.ts";

/** Where the runtime keeps its sockets, TLS, HTTP and streams, as its stack traces name them. */
const networkCode =
  /^(?:node:|ext:(?:deno_node|deno_net|deno_http|deno_fetch|deno_tls|deno_web|runtime)\/)/;

/** What Node's network code puts into `code`. */
const networkCodes =
  /^(?:E(?:CONN(?:RESET|REFUSED|ABORTED)|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NETDOWN|NOTCONN|ADDRNOTAVAIL|BADF)|ERR_(?:STREAM|SSL|TLS|HTTP|SOCKET)_.*|HPE_.*)$/;

const networkErrors = [
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionAborted,
  Deno.errors.NotConnected,
  Deno.errors.BrokenPipe,
  Deno.errors.TimedOut,
  Deno.errors.UnexpectedEof,
  Deno.errors.NetworkUnreachable,
  Deno.errors.AddrNotAvailable,
] as const;

/** Between two reports: a stranger may cause as many as he likes. */
const reportPause = seconds(1);

/** The place that threw, `ext:deno_node/net.ts:1:5638`; empty if it is not told. */
function throwSite({ stack = "", message }: Error): string {
  // The message is not ours and may look like a place.
  const trace = stack.slice(stack.indexOf(message) + message.length);
  const place = /^\s*at (?:.*\()?([^\s()]+)\)?$/m.exec(trace);
  return place?.[1] ?? "";
}

/** Whether the error says nothing about this program, only about a connection. */
export function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (networkErrors.some((one) => error instanceof one)) return true;
  if ("code" in error && typeof error.code === "string" && networkCodes.test(error.code)) {
    return true;
  }
  return networkCode.test(throwSite(error));
}

/**
 * From now on errors of the network that nobody caught are reported instead of ending the process;
 * at most once a second, with how many were passed over since. For the process that runs a node.
 */
export function surviveNetworkErrors(
  clock: Clock,
  report: (error: unknown, passedOver: number) => void,
): void {
  let reportedAt: Instant | undefined;
  let passedOver = 0;
  const survive = (event: Event, error: unknown) => {
    if (!isNetworkError(error)) return;
    event.preventDefault();
    const now = clock.monotonic();
    if (reportedAt !== undefined && elapsed(reportedAt, now) < reportPause) {
      passedOver++;
      return;
    }
    report(error, passedOver);
    reportedAt = now;
    passedOver = 0;
  };
  globalThis.addEventListener("error", (event) => survive(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => survive(event, event.reason));
}
