/** `mesh --self-test`. @module */
import type { CommandContext } from "./command.ts";
import { type CommandOutcome, exitCode, usageFailure } from "./errors.ts";
import { clean } from "./output.ts";

/** Hexadecimal digits of a nonce. */
const nonceLengthMax = 128;

/** Runs the self test: one line per check, then the verdict. */
export async function selfTest(
  { parsed, output, around }: CommandContext,
): Promise<CommandOutcome> {
  const nonce = parsed.value("nonce");
  if (nonce !== undefined && (!/^[0-9a-fA-F]+$/.test(nonce) || nonce.length > nonceLengthMax)) {
    return usageFailure(`--nonce takes 1 to ${nonceLengthMax} hexadecimal digits, not "${nonce}"`);
  }
  const { clock, target, runtime } = around;
  const report = await around.selfTest({
    clock,
    target,
    runtime,
    ...nonce === undefined ? {} : { nonce },
  });
  if (output.json) output.object(report);
  else {
    const width = Math.max(0, ...report.checks.map(({ name }) => name.length));
    for (const { name, ok, detail, ms } of report.checks) {
      const verdict = ok ? output.paint("ok    ", "good") : output.paint("failed", "bad");
      output.line(`${verdict}  ${clean(name).padEnd(width)}  ${clean(detail)} (${ms} ms)`);
    }
    const bad = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    output.line(report.ok ? "self-test passed" : `self-test failed: ${clean(bad.join(", "))}`);
  }
  return report.ok ? exitCode.done : exitCode.failed;
}
