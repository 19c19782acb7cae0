/**
 * Records: signing one's own, judging others'.
 *
 * @module
 */
import type { Bytes } from "../src/base/bytes.ts";
import { DecodeError } from "../src/base/decode.ts";
import { wallTime } from "../src/base/instant.ts";
import { invariant } from "../src/base/invariant.ts";
import { signRecord } from "../src/crypto/mod.ts";
import { newIdentity } from "../src/identity/mod.ts";
import { verifyRecord } from "../src/sync/mod.ts";
import { encodeInfo } from "../src/wire/info.ts";
import { encodeRecordPayload } from "../src/wire/record.ts";
import { infoKind } from "../src/wire/record_key.ts";
import { exampleInfo } from "./authentication_bench.ts";
import { type Bench, rate } from "./frame.ts";

/** What a first synchronisation has in flight. */
const manyInFlight = 64;

const signed = { name: "records signed, one at a time", unit: "1/s" } as const;
const signedMany = { name: "records signed, 64 in flight", unit: "1/s" } as const;
const verified = { name: "records verified, one at a time", unit: "1/s" } as const;
const verifiedMany = { name: "records verified, 64 in flight", unit: "1/s" } as const;

/** `info` records of one author. */
export const recordBench: Bench = {
  metrics: [signed, signedMany, verified, verifiedMany],
  async run({ quick, record }) {
    const identity = await newIdentity();
    const body = encodeInfo(exampleInfo());
    let serial = 0;
    const sign = (): Promise<Bytes> =>
      signRecord(
        identity,
        encodeRecordPayload({
          kind: infoKind,
          subject: new Uint8Array(0),
          serial: ++serial,
          signedAt: wallTime(1_700_000_000_000),
          body,
        }),
      );
    const bytes = await sign();
    const verify = async () => {
      const verdict = await verifyRecord(bytes);
      invariant(!(verdict instanceof DecodeError), "the record is one");
    };
    const lengthMs = quick ? 300 : 1_000;
    await rate(sign, 1, lengthMs / 2);
    await rate(verify, 1, lengthMs / 2);
    for (let run = 0; run < (quick ? 1 : 5); run++) {
      record(signed, await rate(sign, 1, lengthMs));
      record(signedMany, await rate(sign, manyInFlight, lengthMs));
      record(verified, await rate(verify, 1, lengthMs));
      record(verifiedMany, await rate(verify, manyInFlight, lengthMs));
    }
  },
};
