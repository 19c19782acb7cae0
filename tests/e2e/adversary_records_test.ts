/**
 * Records against real nodes: forged, stale, from the end of all serials, contradicting themselves,
 * speaking for others, and full of terminal escapes.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Bytes, compareBytes, copyBytes } from "../../src/base/bytes.ts";
import { isDecodeError } from "../../src/base/decode.ts";
import { signRecord } from "../../src/crypto/mod.ts";
import { newIdentity } from "../../src/identity/mod.ts";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.ts";
import { decodeCoseSign1, encodeCoseSign1 } from "../../src/wire/cose_sign1.ts";
import { encodeInfo } from "../../src/wire/info.ts";
import { allKinds } from "../../src/wire/key_range.ts";
import type { NodeId } from "../../src/wire/node_id.ts";
import { linksKind, type RecordKey, recordKey } from "../../src/wire/record_key.ts";
import { pause } from "../../scripts/eventually.ts";
import { attacksOnOnePair, type HonestPair, infoHeldBy } from "./adversary/honest_pair.ts";
import { type Met, obliging, Rogue } from "./adversary/rogue.ts";
import { eventually } from "./eventually.ts";

const attack = attacksOnOnePair();
const noSubject: Bytes = new Uint8Array(0);

function keyOf(kind: number, id: NodeId): RecordKey {
  return recordKey(kind, id, noSubject);
}

async function fetched(met: Met, key: RecordKey): Promise<Bytes | undefined> {
  const answer = await met.ask({ kind: "fetch", keys: [key] });
  assert(answer?.kind === "fetch", "a fetch is answered");
  return answer.records[0];
}

async function accepted(met: Met, record: Bytes): Promise<number> {
  const answer = await met.ask({ kind: "push", records: [record] });
  assert(answer !== undefined, "a push is answered");
  // What is no push at all is answered with a notice.
  return answer.kind === "push" ? answer.accepted : 0;
}

/** Waits until both hold the same records, all of them, as their digests say. */
async function inStep(first: Met, second: Met): Promise<void> {
  await eventually("equal digests", async () => {
    const [one, other] = await Promise.all([first, second].map(async (met) => {
      const answer = await met.ask({ kind: "probe", kinds: allKinds, digest: new Uint8Array(16) });
      return answer?.kind === "probe" ? answer.digest.join() : undefined;
    }));
    return one !== undefined && one === other;
  });
}

async function meetBoth(rogue: Rogue, pair: HonestPair): Promise<readonly [Met, Met]> {
  return [await rogue.meet(pair.a), await rogue.meet(pair.b)];
}

function flipped(bytes: Bytes, at: number): Bytes {
  const changed = copyBytes(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

attack(
  "another's record with any byte altered, any other key or any other signature is refused",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    const genuine = pair.b.info;
    const envelope = decodeCoseSign1(genuine);
    assert(!isDecodeError(envelope));
    const payload = decodeCbor(envelope.payload);
    assert(Array.isArray(payload));
    const [kind, subject, serial, signedAt, body] = payload;
    const newer = encodeCbor([kind, subject, Number(serial) + 1, signedAt, body]);
    const rogues = decodeCoseSign1(await signRecord(rogue.identity, newer));
    assert(!isDecodeError(rogues));
    const forged: Bytes[] = [
      encodeCoseSign1({ ...envelope, signature: new Uint8Array(64) }),
      encodeCoseSign1({ ...envelope, payload: newer }),
      // Newer, signed by the rogue, under the name of the other.
      encodeCoseSign1({ key: envelope.key, payload: newer, signature: rogues.signature }),
      encodeCoseSign1({ ...envelope, key: rogue.identity.publicKey }),
      copyBytes(genuine.subarray(0, genuine.length - 1)),
      new Uint8Array([...genuine, 0]),
      new Uint8Array(1_000).fill(0xd2),
      noSubject,
    ];
    for (let at = 0; at < genuine.length; at += 5) forged.push(flipped(genuine, at));
    for (const bytes of forged) assertEquals(await accepted(met, bytes), 0);
    // The same key's own words are taken: the pushes were not refused for another reason.
    assertEquals(await accepted(met, await rogue.sign({ kind: 9, serial: 1, body: "own" })), 1);
  },
);

attack(
  "a stale record does not replace a newer one, whoever wrote it",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const [atA, atB] = await meetBoth(rogue, pair);
    const newer = await rogue.sign({ kind: 9, serial: 10, body: "newer" });
    assertEquals(await accepted(atA, newer), 1);
    const older = await rogue.sign({ kind: 9, serial: 5, body: "older" });
    assertEquals(await accepted(atA, older), 0);
    await inStep(atA, atB);
    assertEquals(await accepted(atB, older), 0);
    assertEquals(await fetched(atB, keyOf(9, rogue.id)), newer);

    // An honest node's own words of a moment ago: its links change when a link with it ends.
    const key = keyOf(linksKind, pair.a.id);
    const old = await eventually("a has published its links", () => fetched(atA, key));
    await eventually(
      "a link with the rogue",
      async () => (await pair.a.process.links()).some(({ id }) => id === rogue.id),
    );
    await atA.ask({ kind: "leaving", bootNonce: rogue.bootNonce });
    await eventually("a has published other links", async () => {
      const now = await fetched(atB, key);
      return now !== undefined && compareBytes(now, old) !== 0;
    });
    assertEquals(await accepted(atB, old), 0);
    const held = await fetched(atB, key);
    assert(held !== undefined && compareBytes(held, old) !== 0);
  },
);

attack(
  "a record with the last serial there is binds its author alone",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create({ info: { name: "before" } }));
    allow(rogue.id);
    const [atA, atB] = await meetBoth(rogue, pair);
    const last = await rogue.sign({
      serial: Number.MAX_SAFE_INTEGER,
      signedAt: Number.MAX_SAFE_INTEGER,
      body: encodeInfo(rogue.describe({ name: "at the end" })),
    });
    assertEquals(await accepted(atA, last), 1);
    await inStep(atA, atB);
    for (const { process } of pair.both) {
      const entry = (await process.nodes()).find(({ id }) => id === rogue.id);
      assertEquals(entry?.serial, Number.MAX_SAFE_INTEGER);
      assertEquals(entry?.name, "at the end");
    }
    const after = await rogue.sign({
      serial: Number.MAX_SAFE_INTEGER - 1,
      body: encodeInfo(rogue.describe({ name: "after" })),
    });
    assertEquals(await accepted(atB, after), 0);
    // One more than the last is no serial.
    const payload = encodeCbor([9, noSubject, Number.MAX_SAFE_INTEGER, 0, null]);
    const at = payload.indexOf(0x1b);
    payload.set([0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0], at);
    assertEquals(await accepted(atB, await signRecord(rogue.identity, payload)), 0);
  },
);

attack(
  "two payloads under one serial flag their author, and both nodes keep the same one",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const [atA, atB] = await meetBoth(rogue, pair);
    const serial = Date.now() + 1;
    const [one, other] = await Promise.all(
      ["one", "other"].map((name) =>
        rogue.sign({ serial, body: encodeInfo(rogue.describe({ name })) })
      ),
    );
    assert(one !== undefined && other !== undefined);
    for (const [met, record] of [[atA, one], [atB, other], [atA, other], [atB, one]] as const) {
      await met.ask({ kind: "push", records: [record] });
    }
    await inStep(atA, atB);
    const kept = await fetched(atA, keyOf(0, rogue.id));
    assert(kept !== undefined);
    assertEquals(await fetched(atB, keyOf(0, rogue.id)), kept);
    const flag = "signed two records under one serial";
    for (const { process } of pair.both) {
      await eventually(
        "the author is flagged",
        () =>
          process.log().split("\n").some((line) => line.includes(flag) && line.includes(rogue.id)),
      );
    }
  },
);

attack(
  "administrator kinds are refused while nobody is an administrator, and are not even fetched",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.linkWith(pair.a);
    for (const kind of [128, 129, 200, 255]) {
      const subject = crypto.getRandomValues(new Uint8Array(32));
      const record = await rogue.sign({ kind, subject, serial: 1, body: "revoked" });
      assertEquals(await accepted(met, record), 0);
      const key = recordKey(kind, rogue.id, subject);
      const hashPrefix = crypto.getRandomValues(new Uint8Array(16));
      await met.ask({ kind: "offer", offers: [{ key, serial: 2, hashPrefix }] });
      assertEquals(await fetched(met, key), undefined);
    }
    await pause(300);
    assertEquals(rogue.asked.filter(({ request }) => request.kind === "fetch"), []);
  },
);

attack(
  "of the kinds that no version knows an author keeps four, the same ones everywhere",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const [atA, atB] = await meetBoth(rogue, pair);
    const kinds = [20, 21, 22, 23, 24, 25, 26, 27, 127];
    for (const [met, order] of [[atA, kinds], [atB, kinds.toReversed()]] as const) {
      for (const kind of order) {
        const record = await rogue.sign({ kind, serial: 1, body: `kind ${kind}` });
        await met.ask({ kind: "push", records: [record] });
      }
    }
    await inStep(atA, atB);
    for (const met of [atA, atB]) {
      const kept: number[] = [];
      for (const kind of kinds) {
        if (await fetched(met, keyOf(kind, rogue.id)) !== undefined) kept.push(kind);
      }
      assertEquals(kept, [20, 21, 22, 23]);
    }
  },
);

/** What a terminal, a log reader or a person might obey or be fooled by. */
const hostile: Readonly<Record<string, string>> = {
  "a terminal's title": "\x1b]0;owned\x07",
  "a colour": "\x1b[31mred",
  "a cleared screen": "\x1b[2J\x1b[H",
  "an 8-bit control": "\u009b31m",
  "a new line": "a\nb",
  "a carriage return": "honest\rrogue",
  "a backspace": "b\x08a",
  "a zero": "a\0b",
  "text from right to left": "\u202etxt.exe",
  "an isolate": "\u2066a\u2069",
  "a zero width": "a\u200bb",
  "a line separator": "a\u2028b",
  "a byte order mark": "\ufeffa",
  "private use": "\ue000",
  "blanks around": " a ",
  "another normal form": "e\u0301",
  "nothing": "",
  "too much": "n".repeat(65),
};

// deno-lint-ignore no-control-regex
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Co}]/u;

async function assertNothingToObey(pair: HonestPair, id: NodeId): Promise<void> {
  const { process } = pair.a;
  const shown = [process.log()];
  for (const command of [["nodes"], ["links"], ["node", id], ["status"], ["node", "rogue"]]) {
    const [plain, json] = await Promise.all([
      process.mesh(...command),
      process.mesh(...command, "--json"),
    ]);
    shown.push(plain.stdout, plain.stderr, json.stdout, json.stderr);
  }
  for (const text of shown) {
    const at = text.search(obeyed);
    assert(at < 0, `shown: ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 40))}`);
  }
}

attack(
  "hostile text in any field is refused, pushed or shown in an exchange",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const met = await rogue.meet(pair.a);
    let serial = Date.now();
    const fields = (text: string): CborValue[] => [
      encodeInfo(rogue.describe({ name: text })),
      encodeInfo(rogue.describe({ software: { version: text, seq: 0, target: "none" } })),
      encodeInfo(rogue.describe({ software: { version: "0", seq: 0, target: text } })),
      encodeInfo(rogue.describe({ platform: { os: text, arch: "none" } })),
      encodeInfo(rogue.describe({ platform: { os: "none", arch: text } })),
      encodeInfo(rogue.describe({ labels: new Map([[text, "value"]]) })),
      encodeInfo(rogue.describe({ update: { seq: 1, state: text } })),
      encodeInfo(rogue.describe({ update: { seq: 1, state: "held", reason: `a${text}\x1b` } })),
    ];
    for (const [what, text] of Object.entries(hostile)) {
      for (const body of fields(text)) {
        assertEquals(await accepted(met, await rogue.sign({ serial: ++serial, body })), 0, what);
      }
    }
    const identity = await newIdentity();
    const shy = stack.use(await Rogue.create({ identity, info: { name: "\x1b]0;owned\x07" } }));
    allow(shy.id);
    const shown = await shy.meet(pair.a);
    assertEquals((await shown.ask({ kind: "ping" }))?.kind, "ping");
    assertEquals((await pair.a.process.nodes()).filter(({ id }) => id === shy.id), []);
    await assertNothingToObey(pair, rogue.id);
  },
);

attack(
  "text that is plain but sly is shown as it is and does nothing",
  async ({ pair, stack, allow }) => {
    const name = '$(reboot)`id`";DROP--<b>&%s{name}\\x1b[31m';
    const labels = new Map([["__proto__", "polluted"], ["constructor", "{0}"]]);
    const rogue = stack.use(await Rogue.create({ info: { name, labels } }));
    allow(rogue.id);
    await rogue.linkWith(pair.a);
    await eventually("both know it", async () => {
      const views = await Promise.all(pair.both.map(({ process }) => process.nodes()));
      return views.every((nodes) => nodes.some((node) => node.id === rogue.id));
    });
    const entry = (await pair.b.process.nodes()).find(({ id }) => id === rogue.id);
    assertEquals(entry?.name, name);
    await assertNothingToObey(pair, rogue.id);
  },
);

attack(
  "a peer that shows another's record, or none, in the exchange is nobody",
  async ({ pair, stack, allow }) => {
    const refused = async () =>
      (await pair.a.process.status()).counts["exchange: record of another author shown"] ?? 0;
    for (const shown of [pair.b.info, crypto.getRandomValues(new Uint8Array(300))]) {
      const before = await refused();
      const rogue = stack.use(await Rogue.create({ shown }));
      allow(rogue.id);
      const met = await rogue.meet(pair.a);
      // The second time with a cookie, so that its address is known.
      for (let times = 0; times < 2; times++) await met.ask({ kind: "offer", offers: [] });
      await eventually("the record is refused", async () => await refused() > before);
      assertEquals((await pair.a.process.nodes()).filter(({ id }) => id === rogue.id), []);
      assertEquals((await pair.a.process.links()).filter(({ id }) => id === rogue.id), []);
    }
    assertEquals(await infoHeldBy(pair.a.process, pair.b.id), pair.b.info);
  },
);

attack(
  "a peer that lies in every comparison is asked less than its lies ask for",
  async ({ pair, stack, allow }) => {
    const rogue = stack.use(await Rogue.create());
    allow(rogue.id);
    const junk = () => crypto.getRandomValues(new Uint8Array(16));
    rogue.behave = (request, from) => {
      switch (request.kind) {
        case "probe":
          return { ...request, digest: junk() };
        case "compare":
          return {
            kind: "compare",
            kinds: request.kinds,
            results: request.ranges.map(() => ({
              kind: "list",
              offers: [{ key: keyOf(9, rogue.id), serial: Date.now(), hashPrefix: junk() }],
            })),
            held: request.held,
          };
        case "fetch":
          return { kind: "fetch", records: [pair.b.info, pair.b.info.map((byte) => byte ^ 1)] };
        default:
          return obliging(request, from);
      }
    };
    await rogue.linkWith(pair.a);
    // Who was dialled compares when its first probe has found a difference.
    await eventually(
      "the lies are heard",
      () => rogue.asked.some(({ request }) => request.kind === "compare"),
    );
    await pause(3_000);
    const counts = new Map<string, number>();
    for (const { request } of rogue.asked) {
      counts.set(request.kind, (counts.get(request.kind) ?? 0) + 1);
    }
    const asked = (counts.get("compare") ?? 0) + (counts.get("fetch") ?? 0);
    assert(asked < 200, `asked ${JSON.stringify([...counts])}`);
  },
);
