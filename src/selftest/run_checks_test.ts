import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Bytes } from "../base/bytes.ts";
import { type Instant, instant, wallTime } from "../base/instant.ts";
import { Prng } from "../base/prng.ts";
import type { Clock } from "../platform/clock.ts";
import { openScratch } from "../host/mod.ts";
import type { Storage } from "../platform/storage.ts";
import { MemoryStorage } from "../../tests/sim/memory_storage.ts";
import { kemVectors } from "../../tests/vectors/ml_kem_768.ts";
import { kemCiphertext, kemSeed, kemShared } from "./ml_kem_answer.ts";
import { runSelfTest, type SelfTestMeans, type SelfTestReport } from "./mod.ts";

/** A clock whose deadlines never come, or come at once. */
function clockThat(isOverdue: boolean): Clock {
  return {
    monotonic: () => instant(performance.now()),
    wall: () => wallTime(0),
    wait: (_until: Instant, signal: AbortSignal) =>
      isOverdue || signal.aborted ? Promise.resolve() : new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
      }),
  };
}

interface Extra {
  readonly isOverdue?: boolean;
  readonly nonce?: string;
  readonly target?: string;
  readonly wrapStorage?: (storage: Storage) => Storage;
  readonly entropyBytes?: (length: number) => Bytes;
  readonly openScratch?: SelfTestMeans["openScratch"];
}

async function run(extra: Extra = {}): Promise<SelfTestReport & { readonly open: number }> {
  let open = 0;
  const report = await runSelfTest({
    clock: clockThat(extra.isOverdue === true),
    target: extra.target ?? "x86_64-unknown-linux-gnu",
    runtime: "deno 2.9.4",
    ...extra.nonce === undefined ? {} : { nonce: extra.nonce },
    entropy: {
      bytes: extra.entropyBytes ?? ((length) => crypto.getRandomValues(new Uint8Array(length))),
    },
    openScratch: extra.openScratch ?? (() => {
      open++;
      const storage = new MemoryStorage({ prng: new Prng([1]) });
      return Promise.resolve({
        storage: extra.wrapStorage?.(storage) ?? storage,
        remove: () => {
          open--;
          return Promise.resolve();
        },
      });
    }),
  });
  return { ...report, open };
}

function failed(report: SelfTestReport): string[] {
  return report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

function detailOf(report: SelfTestReport, name: string): string {
  return report.checks.find((check) => check.name === name)?.detail ?? "";
}

Deno.test("every check passes, says what it saw, and leaves nothing open", async () => {
  const report = await run({ nonce: "c0ffee" });
  assertEquals(failed(report), [], JSON.stringify(report.checks));
  assert(report.ok);
  assertEquals(report.nonce, "c0ffee");
  assertEquals(report.product, "mesh");
  assertEquals(report.open, 0);
  for (const { detail, ms } of report.checks) {
    assert(detail.length > 0);
    assert(Number.isInteger(ms) && ms >= 0);
  }
});

Deno.test("the checks keep their names: programs look for them", async () => {
  const { checks } = await run();
  assertEquals(checks.map(({ name }) => name), [
    "program",
    "sha-256",
    "hmac-sha-256",
    "hkdf-sha-256",
    "ed25519",
    "x25519",
    "ml-kem-768",
    "aes-256-gcm",
    "aes-kw",
    "argon2id",
    "randomness",
    "cbor",
    "cose-sign1",
    "certificates",
    "exchange",
    "datagrams",
    "record-store",
  ]);
});

Deno.test("the ML-KEM answer is the published one", () => {
  const vector = kemVectors[0];
  assertEquals([kemSeed, kemCiphertext, kemShared], [
    vector?.seed,
    vector?.ciphertext,
    vector?.shared,
  ]);
});

type Method = (...args: unknown[]) => Promise<unknown>;

/** Runs the self test while methods of the platform's Web Crypto are replaced. */
async function withBroken(
  broken: Readonly<Record<string, (original: Method) => Method>>,
): Promise<SelfTestReport> {
  const subtle: object = crypto.subtle;
  try {
    for (const [name, replace] of Object.entries(broken)) {
      const original: Method = Reflect.get(subtle, name).bind(subtle);
      Object.defineProperty(subtle, name, { value: replace(original), configurable: true });
    }
    return await run();
  } finally {
    for (const name of Object.keys(broken)) Reflect.deleteProperty(subtle, name);
  }
}

function nameOf(algorithm: unknown): string {
  if (typeof algorithm === "string") return algorithm;
  const name: unknown = typeof algorithm === "object" && algorithm !== null
    ? Reflect.get(algorithm, "name")
    : undefined;
  return typeof name === "string" ? name : "";
}

function flip(buffer: unknown): ArrayBuffer {
  assert(buffer instanceof ArrayBuffer || ArrayBuffer.isView(buffer));
  const bytes = buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer.slice(0))
    : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
  bytes[0] = (bytes[0] ?? 0) ^ 0x80;
  return bytes.buffer;
}

/** A method whose result is wrong by one bit when it works with this algorithm. */
function flipsResult(algorithm: string): (original: Method) => Method {
  return (original) => async (...args) => {
    const result = await original(...args);
    return nameOf(args[0]) === algorithm ? flip(result) : result;
  };
}

/** A method whose argument is wrong by one bit when it works with this algorithm. */
function flipsArgument(algorithm: string, at: number): (original: Method) => Method {
  return (original) => (...args) =>
    original(...args.map((arg, i) => nameOf(args[0]) === algorithm && i === at ? flip(arg) : arg));
}

const flipsShared = (original: Method): Method => async (...args) => {
  const result = await original(...args);
  if (result instanceof ArrayBuffer) return flip(result);
  assert(typeof result === "object" && result !== null);
  return { ...result, sharedKey: flip(Reflect.get(result, "sharedKey")) };
};

/**
 * Each primitive broken the same way in both directions, so that whatever is sealed opens and
 * whatever is signed verifies: only a known answer can tell.
 */
const consistentlyBroken: Readonly<Record<string, Parameters<typeof withBroken>[0]>> = {
  "sha-256": { digest: flipsResult("SHA-256") },
  "hmac-sha-256": { sign: flipsResult("HMAC"), verify: flipsArgument("HMAC", 2) },
  "hkdf-sha-256": { deriveBits: flipsResult("HKDF") },
  "x25519": { deriveBits: flipsResult("X25519") },
  "ml-kem-768": { encapsulateBits: flipsShared, decapsulateBits: flipsShared },
  "aes-256-gcm": { encrypt: flipsResult("AES-GCM"), decrypt: flipsArgument("AES-GCM", 2) },
  "argon2id": { deriveBits: flipsResult("Argon2id") },
  "aes-kw": {
    wrapKey: (original) => async (...args) => {
      const wrapped = await original(...args);
      return nameOf(args[3]) === "AES-KW" ? flip(wrapped) : wrapped;
    },
    unwrapKey: (original) => (format, wrapped, ...rest) =>
      original(format, nameOf(rest[1]) === "AES-KW" ? flip(wrapped) : wrapped, ...rest),
  },
};

for (const [name, broken] of Object.entries(consistentlyBroken)) {
  Deno.test(`a platform with a wrong ${name} fails exactly that check`, async () => {
    const report = await withBroken(broken);
    assertEquals(failed(report), [name], JSON.stringify(report.checks));
    assert(!report.ok);
    assertMatch(detailOf(report, name), /is [0-9a-f]{32}.* instead of [0-9a-f]{32}/);
  });
}

Deno.test("a platform with a wrong ed25519 fails both known answers of it", async () => {
  const report = await withBroken({
    sign: flipsResult("Ed25519"),
    verify: flipsArgument("Ed25519", 2),
  });
  assertEquals(failed(report), ["ed25519", "cose-sign1"]);
  assertMatch(detailOf(report, "ed25519"), /the signature of test 2 is [0-9a-f]{32}/);
});

Deno.test("a platform that verifies every signature fails wherever one is verified", async () => {
  const report = await withBroken({
    verify: (original) => (...args) =>
      nameOf(args[0]) === "Ed25519" ? Promise.resolve(true) : original(...args),
  });
  assertEquals(failed(report), ["ed25519", "cose-sign1", "certificates", "exchange"]);
  assertEquals(detailOf(report, "ed25519"), "a signature with a flipped bit is accepted");
  assertEquals(
    detailOf(report, "certificates"),
    "a leaf with a flipped bit in its signature is accepted",
  );
});

Deno.test("a platform that opens whatever is sealed fails the check of AES-GCM", async () => {
  const report = await withBroken({
    decrypt: (original) => async (...args) => {
      try {
        return await original(...args);
      } catch {
        return new ArrayBuffer(80);
      }
    },
  });
  assert(failed(report).includes("aes-256-gcm"));
  assertEquals(detailOf(report, "aes-256-gcm"), "a sealed text with a flipped bit opens");
});

Deno.test("a platform without Argon2id fails that check with what the platform says", async () => {
  const report = await withBroken({
    importKey: (original) => (...args) =>
      args.includes("Argon2id")
        ? Promise.reject(new DOMException("Unrecognized algorithm name", "NotSupportedError"))
        : original(...args),
  });
  assertEquals(failed(report), ["argon2id"]);
  assertEquals(detailOf(report, "argon2id"), "Unrecognized algorithm name");
});

Deno.test("a generator that stands still fails the check of randomness", async () => {
  const report = await run({ entropyBytes: (length) => new Uint8Array(length).fill(4) });
  assertEquals(failed(report), ["randomness"]);
});

Deno.test("a disk that loses what was written fails the check of the store", async () => {
  const report = await run({
    wrapStorage: (storage) =>
      Object.assign(Object.create(storage), {
        read: async (name: string) => (await storage.read(name))?.slice(0, 60),
        replace: (name: string, bytes: Bytes) => storage.replace(name, bytes),
        openAppend: (name: string) => storage.openAppend(name),
        remove: (name: string) => storage.remove(name),
        setAside: (name: string) => storage.setAside(name),
      }),
  });
  assertEquals(failed(report), ["record-store"]);
  assertEquals(report.open, 0);
});

Deno.test("without a temporary directory the check of the store says why", async () => {
  const report = await run({ openScratch: () => Promise.reject(new Error("No space left")) });
  assertEquals(failed(report), ["record-store"]);
  assertEquals(detailOf(report, "record-store"), "No space left");
});

Deno.test("a program without a target is put together wrongly", async () => {
  assertEquals(failed(await run({ target: "undefined" })), ["program"]);
});

Deno.test("on the machine's own disk it passes too, and its directory is gone", async () => {
  const places: string[] = [];
  const report = await run({
    openScratch: async () => {
      const scratch = await openScratch();
      places.push(scratch.storage.directory);
      return scratch;
    },
  });
  assertEquals(failed(report), [], JSON.stringify(report.checks));
  assertEquals(places.length, 1);
  for (const place of places) await assertRejects(() => Deno.stat(place), Deno.errors.NotFound);
});

// Last: what the cut report left running must not end inside another test.
// What the report does not wait for still runs when it is there.
Deno.test("a check that hangs does not keep the report", { sanitizeOps: false }, async () => {
  const report = await run({ isOverdue: true, openScratch: () => new Promise(() => {}) });
  assert(failed(report).includes("record-store"));
  assertMatch(detailOf(report, "record-store"), /not done 25 s/);
});
