/**
 * What it costs two nodes to find where they differ, in bytes on the wire: requests and answers as
 * they are encoded, with their seals, tags, IPv6 and UDP headers, without the records themselves.
 *
 * @module
 */
import { instant } from "../src/base/instant.ts";
import { answerCompare, answerProbe, digestOf, Reconciliation } from "../src/sync/mod.ts";
import { allKinds } from "../src/wire/key_range.ts";
import { encodeAnswer, encodeRequest } from "../src/wire/message.ts";
import { fakeEntry, MemoryRanges } from "../tests/fixtures/record_ranges.ts";
import type { Bench } from "./frame.ts";

const what = "10,000 records, 10 differences";
const bytes = { name: `reconcile ${what}`, unit: "B", goal: { below: 10_000 } } as const;
const rounds = { name: `reconcile ${what}: round trips`, unit: "", goal: { below: 10 } } as const;
const equalBytes = { name: "reconcile equal stores", unit: "B", goal: { below: 400 } } as const;
const answered = { name: `reconcile ${what}: answers`, unit: "ms" } as const;

/** Beside the messages of a request and its answer (PROTOCOL §13). */
const overheads = 126 + 55 + 2 * 48;

/** Stores in memory; every figure but the time is the same in every run. */
export const reconcileBench: Bench = {
  metrics: [bytes, rounds, equalBytes, answered],
  async run({ record }) {
    const common = Array.from({ length: 10_000 }, (_, i) => fakeEntry(i % 2, i >> 1, 5));
    const a = new MemoryRanges(common);
    const b = new MemoryRanges(common);
    const probe = { kind: "probe", kinds: allKinds, digest: await digestOf(a) } as const;
    const answer = await answerProbe(b, probe);
    record(equalBytes, encodeRequest(probe).length + encodeAnswer(answer).length + overheads);
    for (let i = 0; i < 10; i++) (i % 2 ? a : b).admit(fakeEntry(i % 2, 313 + 400 * i, 6));
    const machine = new Reconciliation(a);
    const now = instant(0);
    let effects = await machine.start(allKinds, now);
    let spent = 0;
    let tookMs = 0;
    for (;;) {
      const [next, ...others] = effects;
      if (next === undefined) throw new Error("the reconciliation does not go on");
      effects = others;
      if (next.kind === "done") {
        record(rounds, next.rounds);
        break;
      } else if (next.kind === "fetch") {
        for (const entry of next.keys.map((key) => b.get(key))) {
          if (entry !== undefined) a.admit(entry);
        }
        effects.push(...await machine.handleFetched(next.keys, next.keys, now));
      } else if (next.kind === "push") {
        for (const entry of next.keys.map((key) => a.get(key))) {
          if (entry !== undefined) b.admit(entry);
        }
        effects.push(...await machine.handlePushed(next.keys, now));
      } else if (next.kind === "bulk") {
        throw new Error("so few differences need no pages");
      } else {
        const begun = performance.now();
        const told = await answerCompare(b, next.message);
        tookMs += performance.now() - begun;
        spent += encodeRequest(next.message).length + encodeAnswer(told).length + overheads;
        effects.push(...await machine.handleAnswer(told, now));
      }
    }
    record(bytes, spent);
    record(answered, tookMs);
  },
};
