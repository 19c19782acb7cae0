/** Records of nodes that are nowhere: what a big fleet's stores are full of. @module */
import type { Bytes } from "../../src/base/bytes.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import { plainInfo, RecordAuthor } from "./record_author.ts";
import { worldBeginsAt } from "./world.ts";

/** Signed `info` records of `count` authors, numbered from `first` on. */
export async function recordsOfAbsent(count: number, first = 1_000): Promise<Bytes[]> {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  return await Promise.all(numbers.map(async (number) => {
    const author = await RecordAuthor.create(number);
    const body = encodeInfo(plainInfo(`absent ${number}`));
    return await author.sign({ serial: worldBeginsAt, signedAt: worldBeginsAt, body });
  }));
}
