/** `mesh ping NODE`. @module */
import type { PingSummary } from "../control/mod.ts";
import { type Command, type CommandContext, withControl } from "./command.ts";
import {
  type CommandFailure,
  type CommandOutcome,
  controlRefusal,
  exitCode,
  usageFailure,
} from "./errors.ts";
import { formatPercent, formatRtt } from "./format.ts";
import { clean, type Output } from "./output.ts";
import { parseCount, parseSeconds } from "./values.ts";

/** Most pings one command may send. */
const countMax = 1_000_000;
/** Seconds between two pings: a ping is not a flood, and an hour is no ping. */
const intervalSeconds = { least: 0.01, most: 3_600 };

/** Counts what came back. */
class PingTally {
  #sent = 0;
  readonly #rttsMs: number[] = [];

  /** One more ping is over; `undefined` = lost. */
  count(rttMs: number | undefined): void {
    this.#sent++;
    if (rttMs !== undefined) this.#rttsMs.push(rttMs);
  }

  /** What it comes to. */
  summary(): PingSummary {
    const received = this.#rttsMs.length;
    const sum = this.#rttsMs.reduce((total, rttMs) => total + rttMs, 0);
    const lost = this.#sent - received;
    const round = (value: number) => Number(value.toFixed(3));
    return {
      sent: this.#sent,
      received,
      lossPercent: this.#sent === 0 ? 0 : round(lost / this.#sent * 100),
      minMs: received === 0 ? null : round(this.#rttsMs.reduce((a, b) => Math.min(a, b))),
      avgMs: received === 0 ? null : round(sum / received),
      maxMs: received === 0 ? null : round(this.#rttsMs.reduce((a, b) => Math.max(a, b))),
    };
  }
}

interface Plan {
  readonly count?: number;
  readonly intervalMs: number;
}

function readPlan({ parsed }: CommandContext): Plan | CommandFailure {
  const countText = parsed.value("count");
  const seconds = parseSeconds(parsed.value("interval") ?? "1");
  if (seconds === undefined || seconds < intervalSeconds.least || seconds > intervalSeconds.most) {
    return usageFailure(
      `-i takes seconds from ${intervalSeconds.least} to ${intervalSeconds.most}, ` +
        `not "${parsed.value("interval")}"`,
    );
  }
  const intervalMs = Math.round(seconds * 1_000);
  if (countText === undefined) return { intervalMs };
  const count = parseCount(countText, countMax);
  if (count === undefined) {
    return usageFailure(`-c takes a number from 1 to ${countMax}, not "${countText}"`);
  }
  return { count, intervalMs };
}

function showSummary(output: Output, node: string, summary: PingSummary): void {
  if (output.json) return output.object(summary);
  const { sent, received, lossPercent, minMs, avgMs, maxMs } = summary;
  output.line(
    `${clean(node)}: ${sent} sent, ${received} received, ${formatPercent(lossPercent)} lost`,
  );
  if (minMs !== null && avgMs !== null && maxMs !== null) {
    output.line(
      `round trip: least ${formatRtt(minMs)}, mean ${formatRtt(avgMs)}, most ${formatRtt(maxMs)}`,
    );
  }
}

async function ping(context: CommandContext): Promise<CommandOutcome> {
  const plan = readPlan(context);
  if ("exit" in plan) return plan;
  return await withControl(context, async (control) => {
    const { output, around, parsed } = context;
    const node = parsed.words[0] ?? "";
    const tally = new PingTally();
    for await (const item of control.ping(node, plan, around.signals().stop)) {
      if ("error" in item) return controlRefusal(item);
      if ("lost" in item) {
        tally.count(undefined);
        if (!output.json) output.line(output.paint(`${item.seq}  no answer`, "fair"));
      } else {
        tally.count(item.rttMs);
        if (output.json) output.object(item);
        else {
          const hops = item.hops > 1 ? `  ${item.hops} hops via ${item.via.slice(0, 10)}` : "";
          output.line(`${item.seq}  ${formatRtt(item.rttMs)}${hops}`);
        }
      }
      if (!output.isRead) return exitCode.done;
    }
    const summary = tally.summary();
    showSummary(output, node, summary);
    return summary.received > 0 ? exitCode.done : exitCode.timedOut;
  });
}

/** Pings a node through its sealed link. */
export const pingCommand: Command = {
  name: "ping",
  summary: "measure the round trip to a node",
  arguments: ["NODE"],
  options: [
    { name: "count", short: "c", value: "N", help: "stop after N pings (else at Ctrl-C)" },
    { name: "interval", short: "i", value: "SECONDS", help: "from one ping to the next (1)" },
  ],
  example: "mesh ping atlas -c 3",
  run: ping,
};
