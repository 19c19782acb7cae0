/**
 * Runs the checks one after the other, whatever becomes of each, and reports.
 *
 * @module
 */
import { elapsed, later } from "../base/instant.ts";
import { product, productSeq, productVersion } from "../version.ts";
import { certificateCheck } from "./certificates.ts";
import type { Check, CheckContext } from "./check.ts";
import { conversationChecks } from "./conversation.ts";
import { formatChecks } from "./formats.ts";
import { detailLengthMax, selfTestTimeMax } from "./limits.ts";
import { primitiveChecks } from "./primitives.ts";
import { programCheck } from "./program.ts";
import { recordStoreCheck } from "./record_store_check.ts";
import type { SelfTestCheck, SelfTestMeans, SelfTestOptions, SelfTestReport } from "./report.ts";

/** All checks, those that others rest on first. */
const checks: readonly Check[] = [
  programCheck,
  ...primitiveChecks,
  ...formatChecks,
  certificateCheck,
  ...conversationChecks,
  recordStoreCheck,
];

/** Runs one check; what it throws is its detail. */
async function runCheck(
  check: Check,
  context: CheckContext,
  overdue: Promise<never>,
): Promise<SelfTestCheck> {
  const { name } = check;
  const begun = context.clock.monotonic();
  const ms = () => Math.round(elapsed(begun, context.clock.monotonic()));
  try {
    const detail = await Promise.race([check.run(context), overdue]);
    return { name, ok: true, detail, ms: ms() };
  } catch (error) {
    const text = error instanceof Error ? error.message || error.name : String(error);
    return { name, ok: false, detail: text.slice(0, detailLengthMax), ms: ms() };
  }
}

/** Runs all checks within 25 s. Never rejects. */
export async function runSelfTest(
  options: SelfTestOptions & SelfTestMeans,
): Promise<SelfTestReport> {
  const { clock, target, runtime, nonce } = options;
  const done = new AbortController();
  const deadline = later(clock.monotonic(), selfTestTimeMax);
  const overdue = clock.wait(deadline, done.signal).then((): never => {
    throw new Error(`not done ${selfTestTimeMax / 1_000} s after the self test began`);
  });
  // It ends this way every time, and by then mostly nobody listens.
  overdue.catch(() => {});
  const results: SelfTestCheck[] = [];
  for (const check of checks) results.push(await runCheck(check, options, overdue));
  done.abort();
  return {
    product,
    version: productVersion,
    seq: productSeq,
    target,
    runtime,
    ...nonce === undefined ? {} : { nonce },
    checks: results,
    ok: results.every(({ ok }) => ok),
  };
}
