/**
 * What networks do to datagrams: they lose, double, delay and reorder them.
 *
 * @module
 */
import { type Duration, milliseconds } from "../../../src/base/instant.ts";
import type { Prng } from "../../../src/base/prng.ts";
import type { Weather } from "../memory_network.ts";

/** How long datagrams are held up. Different delays reorder them. */
export type DelayKind = "none" | "even" | "exponential" | "heavy";

/** One kind of weather. */
export interface Climate {
  /** Shares of datagrams that are lost, and of those that arrive twice. */
  readonly loss: number;
  readonly doubling: number;
  readonly delay: DelayKind;
  /** Mean delay beyond the usual, in milliseconds. */
  readonly delayMs: number;
}

/** As networks should be. */
export const fairClimate: Climate = { loss: 0, doubling: 0, delay: "none", delayMs: 0 };

/** Longest delay: what is later than any wait is lost. */
const delayMsMax = 10_000;

function delayOf({ delay, delayMs }: Climate, prng: Prng): Duration {
  const unit = 1 - prng.unit();
  switch (delay) {
    case "none":
      return milliseconds(0);
    case "even":
      return milliseconds(2 * delayMs * unit);
    case "exponential":
      return milliseconds(Math.min(delayMsMax, -delayMs * Math.log(unit)));
    case "heavy":
      // Pareto with shape 1.5, whose mean is three times its least value and whose variance is none.
      return milliseconds(Math.min(delayMsMax, delayMs / 3 * unit ** (-1 / 1.5)));
  }
}

/** The weather of a climate that may change. */
export function weatherOf(climate: () => Climate, prng: Prng): Weather {
  return () => {
    const now = climate();
    const copies = prng.unit() < now.loss ? 0 : prng.unit() < now.doubling ? 2 : 1;
    return Array.from({ length: copies }, () => delayOf(now, prng));
  };
}

/** A climate in a few words. */
export function climateText({ loss, doubling, delay, delayMs }: Climate): string {
  return `loss ${loss.toFixed(2)} doubling ${doubling.toFixed(2)} delay ${delay} ${
    delayMs.toFixed(0)
  }ms`;
}
