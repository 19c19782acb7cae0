import { assert, assertEquals } from "@std/assert";
import { toHex } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { filled, hexOf } from "../../tests/fixtures/log_records.ts";
import { encodeLogEntry, encodeLogHeader, logMarkerLength, readLog } from "./log_format.ts";
import { recordLogName } from "./record_log.ts";

Deno.test("a log cut anywhere keeps every whole frame before the cut", async () => {
  const prng = new Prng([6]);
  const bytes = await (await filled(prng, 4)).read(recordLogName);
  assert(bytes !== undefined);
  const { entries } = readLog(bytes);
  assertEquals(entries.length, 8);
  const marker = new Uint8Array(logMarkerLength);
  const headerLength = encodeLogHeader(marker).length;
  let end = headerLength;
  const ends = entries.map((entry) => end += encodeLogEntry(marker, entry).length);
  assertEquals(end, bytes.length);
  for (let length = headerLength; length < bytes.length; length++) {
    const reading = readLog(bytes.slice(0, length));
    const whole = entries.slice(0, ends.filter((frameEnd) => frameEnd <= length).length);
    assertEquals(reading.entries.map(hexOf), whole.map(hexOf), `${length}`);
    assertEquals(reading.damagedBytes, 0, `${length}`);
  }
  // Without a whole header there is nothing to look for.
  for (let length = 0; length < headerLength; length++) {
    assertEquals(readLog(bytes.slice(0, length)).entries, [], `${length}`);
  }
});

Deno.test("the log has these bytes", () => {
  const marker = Uint8Array.from({ length: 8 }, (_, i) => i);
  assertEquals(
    toHex(encodeLogHeader(marker)),
    "6d657368207265636f7264" + "7320320a" + "0001020304050607" + "69a25808",
  );
  assertEquals(
    toHex(encodeLogEntry(marker, { kind: "own serial", serial: 258 })),
    "0001020304050607" + "0009" + "539b580f" + "05" + "0000000000000102",
  );
});
