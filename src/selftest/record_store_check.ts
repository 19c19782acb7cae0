/**
 * The record log on a real disk: written, cut off in the middle of a write as a crash would, opened
 * again. What was promised to be on the disk must be there, the torn write must be gone.
 *
 * @module
 */
import { concatBytes, equalBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { instant, type WallTime, wallTime } from "../base/instant.ts";
import { type CoseSigner, signRecord } from "../crypto/mod.ts";
import { newIdentity } from "../identity/mod.ts";
import type { Storage } from "../platform/storage.ts";
import {
  openRecordLog,
  recordLogName,
  RecordStore,
  restoreStore,
  type VerifiedRecord,
  verifyRecord,
} from "../sync/mod.ts";
import { product, productBuiltAt, productSeq, productVersion } from "../version.ts";
import { encodeInfo } from "../wire/info.ts";
import { encodeRecordPayload } from "../wire/record.ts";
import { infoKind } from "../wire/record_key.ts";
import { type Check, type CheckContext, CheckFailure, expect } from "./check.ts";

const signedAt: WallTime = wallTime(productBuiltAt);

async function infoRecord(signer: CoseSigner, context: CheckContext): Promise<VerifiedRecord> {
  const body = encodeInfo({
    name: product,
    endpoints: [],
    observed: [],
    capabilities: [],
    software: { version: productVersion, seq: productSeq, target: context.target },
    bootNonce: context.entropy.bytes(16),
    labels: new Map(),
    platform: { os: "none", arch: "none" },
  });
  const payload = encodeRecordPayload({
    kind: infoKind,
    subject: new Uint8Array(0),
    serial: signedAt,
    signedAt,
    body,
  });
  const record = await verifyRecord(await signRecord(signer, payload));
  if (record instanceof DecodeError) {
    throw new CheckFailure(`a record of our own is refused: ${record.reason}`);
  }
  return record;
}

async function fileOf(storage: Storage): Promise<Uint8Array> {
  const bytes = await storage.read(recordLogName);
  expect(bytes !== undefined, "the log's file is not there");
  return bytes;
}

async function crashAndReopen(storage: Storage, context: CheckContext): Promise<string> {
  const self = await newIdentity();
  const own = await infoRecord(self, context);
  const other = await infoRecord(await newIdentity(), context);

  const before = await openRecordLog(storage, context.entropy);
  expect(before.entries.length === 0, "a new directory holds records");
  await before.log.appendOwn(own, signedAt);
  const half = await fileOf(storage);
  await before.log.appendRecord(other, signedAt);
  await before.log.sync();
  await before.log.close();

  // The crash: the last thing on the disk is the first part of a write.
  const whole = await fileOf(storage);
  const torn = whole.slice(half.length, half.length + 40);
  const file = await storage.openAppend(recordLogName);
  await file.append(torn);
  await file.close();
  expect(
    equalBytes(await fileOf(storage), concatBytes(whole, torn)),
    "the file does not hold what was written",
  );

  const after = await openRecordLog(storage, context.entropy);
  await after.log.close();
  expect(after.damage === undefined, "a write cut off by a crash counts as damage");
  expect(after.ownSerial === own.serial, "the own serial was lost");
  const store = new RecordStore({ selfId: self.id, builtAt: signedAt });
  const restored = await restoreStore(after, store, instant(0), signedAt, () => Promise.resolve());
  expect(restored.records === 2, `${restored.records} of 2 records came back`);
  for (const record of [own, other]) {
    const held = store.get(record.key);
    expect(
      held !== undefined && equalBytes(held.bytes, record.bytes),
      "a record came back with other bytes",
    );
  }
  return `2 records written, ${torn.length} bytes of a torn write cut off, 2 records read`;
}

/** Writes, crashes, opens again, in a directory that is gone afterwards. */
export const recordStoreCheck: Check = {
  name: "record-store",
  async run(context) {
    const scratch = await context.openScratch();
    try {
      return await crashAndReopen(scratch.storage, context);
    } finally {
      await scratch.remove();
    }
  },
};
