/**
 * Runs the checks one after the other.
 *
 * @module
 */
import { toHex, utf8 } from "../base/bytes.ts";
import { sha256 } from "../crypto/mod.ts";
import { product, productSeq, productVersion } from "../version.ts";
import type { SelfTestCheck, SelfTestOptions, SelfTestReport } from "./report.ts";

/** Resolves to what was seen; rejects if it is wrong. */
type Check = () => Promise<string>;

const checks: Readonly<Record<string, Check>> = {
  /** FIPS 180-4, the example of one block. */
  async "sha-256"() {
    const digest = toHex(await sha256(utf8("abc")));
    if (digest !== "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") {
      throw new Error(`the digest of "abc" is ${digest}`);
    }
    return 'the digest of "abc" is right';
  },
};

async function runCheck(
  name: string,
  check: Check,
  { clock }: SelfTestOptions,
): Promise<SelfTestCheck> {
  const begun = clock.monotonic();
  const ms = () => Math.round(clock.monotonic() - begun);
  try {
    const detail = await check();
    return { name, ok: true, detail, ms: ms() };
  } catch (error) {
    return {
      name,
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
      ms: ms(),
    };
  }
}

/** Runs all checks. Never rejects. */
export async function runSelfTest(options: SelfTestOptions): Promise<SelfTestReport> {
  const results: SelfTestCheck[] = [];
  for (const [name, check] of Object.entries(checks)) {
    results.push(await runCheck(name, check, options));
  }
  return {
    product,
    version: productVersion,
    seq: productSeq,
    target: options.target,
    runtime: options.runtime,
    ...options.nonce === undefined ? {} : { nonce: options.nonce },
    checks: results,
    ok: results.every(({ ok }) => ok),
  };
}
