/** State directories of nodes that know many others already. @module */
import { DirectoryStorage, SystemClock, SystemEntropy } from "../../src/host/mod.ts";
import { openRecordLog } from "../../src/sync/mod.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import { plainInfo, RecordAuthor } from "../sim/record_author.ts";

/** Writes down that so many nodes were heard of: their `info` records, truly signed. */
export async function fillStore(state: string, count: number): Promise<void> {
  const { log } = await openRecordLog(await DirectoryStorage.open(state), new SystemEntropy());
  const wall = new SystemClock().wall();
  for (let number = 1; number <= count; number++) {
    const author = await RecordAuthor.create(number);
    const body = encodeInfo(plainInfo(`n${number}`));
    await log.appendRecord(await author.record({ serial: wall, signedAt: wall, body }), wall);
  }
  await log.sync();
  await log.close();
}
