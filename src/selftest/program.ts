/**
 * What the program says it is: a release that was put together wrongly must not pass for one.
 *
 * @module
 */
import { product, productBuiltAt, productSeq, productVersion } from "../version.ts";
import { targetBytesMax, versionBytesMax } from "../wire/limits.ts";
import { type Check, expect } from "./check.ts";

/** Embedded version, sequence number and target. */
export const programCheck: Check = {
  name: "program",
  run({ target, runtime }) {
    expect(
      /^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/.test(productVersion) &&
        productVersion.length <= versionBytesMax,
      `"${productVersion}" is no semantic version`,
    );
    expect(
      Number.isSafeInteger(productSeq) && productSeq >= 0,
      `${productSeq} is no release number`,
    );
    expect(
      Number.isSafeInteger(productBuiltAt) && productBuiltAt > 0,
      `${productBuiltAt} is no build time`,
    );
    expect(
      /^[a-z0-9_]+(?:-[a-z0-9_]+)+$/.test(target) && target.length <= targetBytesMax,
      `"${target}" is no target triple`,
    );
    return Promise.resolve(
      `${product} ${productVersion}, seq ${productSeq}, for ${target}, on ${runtime}`,
    );
  },
};
