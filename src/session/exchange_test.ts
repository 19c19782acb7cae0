import { assert, assertEquals, assertInstanceOf, assertNotEquals } from "@std/assert";
import {
  type Bytes,
  concatBytes,
  copyBytes,
  encodeUint,
  equalBytes,
  toHex,
} from "../base/bytes.ts";
import { wallTime } from "../base/instant.ts";
import {
  type IdentityKey,
  nodeIdOf,
  privateKeyOfSeed,
  responderClaim,
  sha256,
  signWith,
} from "../crypto/mod.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import {
  decodeM1,
  decodeM2,
  encodeM1,
  encodeM2,
  encodeM2Head,
  type ExchangeM2Head,
  m1BytesLength,
  m1BytesMax,
  m2BytesLength,
  m2BytesMax,
  m3BytesMax,
  m4BytesMax,
  type SealedOffer,
} from "../wire/exchange.ts";
import { DecodeError } from "../base/decode.ts";
import {
  type ExchangeContext,
  ExchangeRefusal,
  type ExchangeRefusalReason,
  hashExchange,
} from "./exchange.ts";
import { beginExchange, confirmExchange, finishExchange } from "./exchange_initiator.ts";
import { acceptConfirm, answerExchange } from "./exchange_responder.ts";
import { channelBindingBytesMax, channelBindingBytesMin, exchangeBodyBytesMax } from "./limits.ts";

interface TestNode {
  readonly key: IdentityKey;
  readonly context: Omit<ExchangeContext, "peer" | "binding">;
  readonly offer: SealedOffer;
}

function filled(value: number, length: number): Bytes {
  return new Uint8Array(length).fill(value);
}

const entropy = {
  bytes: (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length)),
};

/** A node whose key, leaf and boot nonce follow from two numbers. */
async function node(keyNumber: number, boot = keyNumber): Promise<TestNode> {
  const key = await privateKeyOfSeed(filled(keyNumber, 32));
  const id = await nodeIdOf(key.publicKey);
  const bootNonce = filled(boot, 16);
  return {
    key,
    context: {
      self: {
        identity: { id, sign: (label, data) => signWith(key, label, data) },
        leafHash: await sha256(filled(boot, 5)),
        bootNonce,
      },
      entropy,
    },
    offer: {
      membership: [filled(keyNumber, 9)],
      info: filled(keyNumber, 200),
      grant: {
        epoch: filled(keyNumber, 8),
        handle: filled(keyNumber, 24),
        key: filled(keyNumber, 32),
        time: keyNumber,
      },
      wallTime: wallTime(1_000 + keyNumber),
      bootNonce,
    },
  };
}

type Extra = Partial<ExchangeContext>;

/** What `own` stands on when it talks to `peer` on connection number `connection`. */
async function towards(
  own: TestNode,
  peer: TestNode,
  connection: number,
  extra: Extra = {},
): Promise<ExchangeContext> {
  return {
    ...own.context,
    peer: {
      id: await nodeIdOf(peer.key.publicKey),
      publicKey: peer.key.publicKey,
      leafHash: peer.context.self.leafHash,
    },
    binding: { kind: 1, client: filled(connection, 32), server: filled(connection + 100, 32) },
    ...extra,
  };
}

const [ada, bea, mallory] = [await node(1), await node(2), await node(3)];

/** The result, or a failed test if it is a refusal. */
function accepted<T>(result: T | ExchangeRefusal): T {
  if (result instanceof ExchangeRefusal) throw new Error(`refused: ${result.reason}`);
  return result;
}

function assertRefused(result: unknown, reason: ExchangeRefusalReason): void {
  assertInstanceOf(result, ExchangeRefusal);
  assertEquals(result.reason, reason);
}

function flipped(bytes: Bytes, at: number, bit = 1): Bytes {
  const changed = copyBytes(bytes);
  changed[at] = (changed[at] ?? 0) ^ bit;
  return changed;
}

const giving = (offer: SealedOffer) => () => Promise.resolve(offer);

/** Makes the offer that must never be made. */
function never(): Promise<SealedOffer> {
  throw new Error("an offer was made");
}

/** An exchange between Ada and Bea up to m2, m3 or m4, with what is needed to go on. */
async function upToM2(adas: Extra = {}, beas: Extra = {}) {
  const begun = await beginExchange(await towards(ada, bea, 1, adas));
  const answered = accepted(await answerExchange(await towards(bea, ada, 1, beas), begun.m1));
  return { begun, answered };
}

async function upToM3(adas: Extra = {}, beas: Extra = {}) {
  const { begun, answered } = await upToM2(adas, beas);
  const confirmed = accepted(await confirmExchange(begun.state, answered.m2, ada.offer));
  return { begun, answered, confirmed };
}

async function upToM4(adas: Extra = {}, beas: Extra = {}) {
  const steps = await upToM3(adas, beas);
  const finished = accepted(
    await acceptConfirm(steps.answered.state, steps.confirmed.m3, giving(bea.offer)),
  );
  return { ...steps, finished };
}

Deno.test("both ends finish with the same hash and each other's offer", async () => {
  const { begun, answered, confirmed, finished } = await upToM4();
  const adas = accepted(await finishExchange(confirmed.state, finished.m4));
  const beas = finished.result;
  assertEquals(begun.m1.length, m1BytesLength);
  assertEquals(answered.m2.length, m2BytesLength);
  assertEquals(adas.hash, beas.hash);
  assertEquals(adas.hash.length, 32);
  assertEquals([adas.role, beas.role], ["initiator", "responder"]);
  assertEquals([adas.version, beas.version], [1, 1]);
  assertEquals([adas.peer, beas.peer], [
    bea.context.self.identity.id,
    ada.context.self.identity.id,
  ]);
  assertEquals([adas.publicKey, beas.publicKey], [bea.key.publicKey, ada.key.publicKey]);
  assertEquals([adas.theirs, beas.theirs], [bea.offer, ada.offer]);
  assertEquals([adas.proof, beas.proof], ["not judged", "not judged"]);
});

Deno.test("two exchanges of one pair on one connection share nothing", async () => {
  const [one, other] = [await upToM4(), await upToM4()];
  assert(!equalBytes(one.finished.result.hash, other.finished.result.hash));
  assert(!equalBytes(one.begun.m1, other.begun.m1));
});

Deno.test("crossing exchanges both finish", async () => {
  const [one, other] = await Promise.all([
    upToM4(),
    (async () => {
      const begun = await beginExchange(await towards(bea, ada, 2));
      const answered = accepted(await answerExchange(await towards(ada, bea, 2), begun.m1));
      const confirmed = accepted(await confirmExchange(begun.state, answered.m2, bea.offer));
      return accepted(await acceptConfirm(answered.state, confirmed.m3, giving(ada.offer)));
    })(),
  ]);
  assertEquals(one.finished.result.peer, ada.context.self.identity.id);
  assertEquals(other.result.peer, bea.context.self.identity.id);
});

Deno.test("nothing of an offer can be read in the messages", async () => {
  const { confirmed, finished } = await upToM4();
  assert(!toHex(confirmed.m3).includes(toHex(filled(1, 16))));
  assert(!toHex(finished.m4).includes(toHex(filled(2, 16))));
});

// The cluster secret.

const secret = filled(0x5e, 32);
const olderSecret = filled(0x0d, 32);

Deno.test("two members prove the cluster secret to each other", async () => {
  const { confirmed, finished } = await upToM4({ clusterSecret: secret }, {
    clusterSecret: secret,
  });
  assertEquals(finished.result.proof, "right");
  assertEquals(accepted(await finishExchange(confirmed.state, finished.m4)).proof, "right");
});

Deno.test("a proof without a secret looks like one", async () => {
  const { answered } = await upToM2();
  const { answered: again } = await upToM2();
  const [one, other] = [decodeM2(answered.m2), decodeM2(again.m2)];
  assert(!(one instanceof DecodeError) && !(other instanceof DecodeError));
  assertEquals(one.proof.length, 32);
  assertNotEquals(one.proof, other.proof);
});

Deno.test("the initiator shows nothing to a responder without the secret", async () => {
  for (const beas of [{}, { clusterSecret: olderSecret }]) {
    const { begun, answered } = await upToM2({ clusterSecret: secret }, beas);
    assertRefused(
      await confirmExchange(begun.state, answered.m2, ada.offer),
      "cluster secret not proved",
    );
  }
});

Deno.test("the responder shows nothing to an initiator without the secret", async () => {
  for (const adas of [{}, { clusterSecret: olderSecret, isMember: () => true }]) {
    const { answered, confirmed } = await upToM3(adas, { clusterSecret: secret });
    assertRefused(
      await acceptConfirm(answered.state, confirmed.m3, never),
      "cluster secret not proved",
    );
  }
});

Deno.test("a member known by its statement passes with a wrong proof", async () => {
  const asked: unknown[] = [];
  const isMember = (peer: string, presented: readonly Bytes[]): boolean => {
    asked.push([peer, presented]);
    return true;
  };
  const { finished } = await upToM4({ clusterSecret: olderSecret, isMember }, {
    clusterSecret: secret,
    isMember: (peer, presented) => Promise.resolve(isMember(peer, presented)),
  });
  assertEquals(finished.result.proof, "wrong");
  assertEquals(asked, [
    [bea.context.self.identity.id, []],
    [ada.context.self.identity.id, ada.offer.membership],
  ]);
});

Deno.test("nobody is asked for statements when the proof is right", async () => {
  const isMember = (): boolean => {
    throw new Error("asked");
  };
  const { finished } = await upToM4({ clusterSecret: secret, isMember }, {
    clusterSecret: secret,
    isMember,
  });
  assertEquals(finished.result.proof, "right");
});

Deno.test("while a secret is replaced, its holders still prove it to those who have the new", async () => {
  const newer = { clusterSecret: secret, previousClusterSecret: olderSecret };
  const toOlder = await upToM4(newer, { clusterSecret: olderSecret });
  assertEquals(toOlder.finished.result.proof, "right");
  const { begun, answered } = await upToM2({ clusterSecret: olderSecret }, newer);
  assertRefused(
    await confirmExchange(begun.state, answered.m2, ada.offer),
    "cluster secret not proved",
  );
  const known = await upToM4({ clusterSecret: olderSecret, isMember: () => true }, newer);
  assertEquals(known.finished.result.proof, "right");
});

Deno.test("the responder may look at the offer and withhold its own", async () => {
  const { answered, confirmed } = await upToM3();
  const seen: SealedOffer[] = [];
  const refusal = await acceptConfirm(answered.state, confirmed.m3, (theirs) => {
    seen.push(theirs);
    return Promise.resolve(undefined);
  });
  assertRefused(refusal, "offer withheld");
  assertEquals(seen, [ada.offer]);
});

// A state is used once.

Deno.test("a second message for the same step is refused, whatever the first one was", async () => {
  const { begun, answered, confirmed, finished } = await upToM4();
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "state used");
  assertRefused(await acceptConfirm(answered.state, confirmed.m3, never), "state used");
  accepted(await finishExchange(confirmed.state, finished.m4));
  assertRefused(await finishExchange(confirmed.state, finished.m4), "state used");

  const fresh = await upToM2();
  assertRefused(
    await confirmExchange(fresh.begun.state, filled(0, 3), ada.offer),
    "m2 malformed",
  );
  assertRefused(
    await confirmExchange(fresh.begun.state, fresh.answered.m2, ada.offer),
    "state used",
  );
});

Deno.test("of two messages at the same time one is refused", async () => {
  const { begun, answered } = await upToM2();
  const results = await Promise.all([
    confirmExchange(begun.state, answered.m2, ada.offer),
    confirmExchange(begun.state, answered.m2, ada.offer),
  ]);
  assertEquals(results.map((result) => result instanceof ExchangeRefusal), [false, true]);
});

Deno.test("a message in another's place is malformed", async () => {
  const { m1, m2, m3, m4 } = await (async () => {
    const { begun, answered, confirmed, finished } = await upToM4();
    return { m1: begun.m1, m2: answered.m2, m3: confirmed.m3, m4: finished.m4 };
  })();
  for (const wrong of [m2, m3, m4]) {
    assertRefused(await answerExchange(await towards(bea, ada, 1), wrong), "m1 malformed");
  }
  for (const wrong of [m1, m3, m4]) {
    const { begun } = await upToM2();
    assertRefused(await confirmExchange(begun.state, wrong, ada.offer), "m2 malformed");
  }
  for (const wrong of [m1, m2, m4]) {
    const { answered } = await upToM3();
    assertRefused(await acceptConfirm(answered.state, wrong, never), "m3 malformed");
  }
  for (const wrong of [m1, m2, m3]) {
    const { confirmed } = await upToM4();
    assertRefused(await finishExchange(confirmed.state, wrong), "m4 malformed");
  }
});

// Changed messages.

/** Runs `check` for every byte of a message of that length, some at a time. */
async function forEachByte(length: number, check: (at: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < length; from += 32) {
    const count = Math.min(32, length - from);
    await Promise.all(Array.from({ length: count }, (_, index) => check(from + index)));
  }
}

Deno.test("no byte of m1 can be changed", async () => {
  const [adas, beas] = [await towards(ada, bea, 1), await towards(bea, ada, 1)];
  await forEachByte(m1BytesLength, async (at) => {
    const begun = await beginExchange(adas);
    const answered = await answerExchange(beas, flipped(begun.m1, at, 1 << (at % 8)));
    if (answered instanceof ExchangeRefusal) return;
    assertRefused(
      await confirmExchange(begun.state, answered.m2, ada.offer),
      "signature wrong",
    );
  });
});

Deno.test("no byte of m2 can be changed", async () => {
  await forEachByte(m2BytesLength, async (at) => {
    const { begun, answered } = await upToM2();
    const refusal = await confirmExchange(begun.state, flipped(answered.m2, at), ada.offer);
    assertInstanceOf(refusal, ExchangeRefusal, `byte ${at}`);
  });
});

Deno.test("no byte of m3 can be changed", async () => {
  const { length } = (await upToM3()).confirmed.m3;
  await forEachByte(length, async (at) => {
    const { answered, confirmed } = await upToM3();
    const refusal = await acceptConfirm(answered.state, flipped(confirmed.m3, at), never);
    assertInstanceOf(refusal, ExchangeRefusal, `byte ${at}`);
  });
});

Deno.test("no byte of m4 can be changed", async () => {
  const { length } = (await upToM4()).finished.m4;
  await forEachByte(length, async (at) => {
    const { confirmed, finished } = await upToM4();
    const refusal = await finishExchange(confirmed.state, flipped(finished.m4, at));
    assertInstanceOf(refusal, ExchangeRefusal, `byte ${at}`);
  });
});

Deno.test("a truncated or lengthened message is malformed", async () => {
  const { begun, answered, confirmed, finished } = await upToM4();
  const wrongs = (message: Bytes): readonly Bytes[] => [
    message.slice(0, 0),
    message.slice(0, 1),
    message.slice(0, -1),
    concatBytes(message, encodeUint(0, 1)),
  ];
  for (const m1 of wrongs(begun.m1)) {
    assertRefused(await answerExchange(await towards(bea, ada, 1), m1), "m1 malformed");
  }
  for (const m2 of wrongs(answered.m2)) {
    const { begun: { state } } = await upToM2();
    assertRefused(await confirmExchange(state, m2, ada.offer), "m2 malformed");
  }
  for (const m3 of wrongs(confirmed.m3)) {
    const { answered: { state } } = await upToM3();
    assertRefused(await acceptConfirm(state, m3, never), "m3 malformed");
  }
  for (const m4 of wrongs(finished.m4)) {
    const { confirmed: { state } } = await upToM4();
    assertRefused(await finishExchange(state, m4), "m4 malformed");
  }
});

Deno.test("messages of another exchange of the same pair are refused", async () => {
  const other = await upToM4();
  const first = await upToM2();
  assertRefused(
    await confirmExchange(first.begun.state, other.answered.m2, ada.offer),
    "signature wrong",
  );
  const second = await upToM3();
  assertRefused(
    await acceptConfirm(second.answered.state, other.confirmed.m3, never),
    "signature wrong",
  );
  const third = await upToM4();
  assertRefused(
    await finishExchange(third.confirmed.state, other.finished.m4),
    "seal does not open",
  );
});

// The man in the middle.

Deno.test("an exchange relayed between two connections fails at the first signature", async () => {
  // The peer's certificates are those of the real peer, as if TLS had been fooled entirely.
  const begun = await beginExchange(await towards(ada, bea, 1, { clusterSecret: secret }));
  const answered = accepted(
    await answerExchange(await towards(bea, ada, 2, { clusterSecret: secret }), begun.m1),
  );
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "signature wrong");
});

Deno.test("a relayed exchange fails under the relay's own certificates too", async () => {
  const begun = await beginExchange(await towards(ada, mallory, 1, { clusterSecret: secret }));
  const answered = accepted(
    await answerExchange(await towards(bea, mallory, 2, { clusterSecret: secret }), begun.m1),
  );
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "signature wrong");
});

Deno.test("a proof that a member gave on one connection proves nothing on another", async () => {
  // Mallory gets a right proof out of Bea and puts it under an m2 and a signature of her own.
  const begun = await beginExchange(await towards(ada, mallory, 1, { clusterSecret: secret }));
  const beas = accepted(
    await answerExchange(await towards(bea, mallory, 2, { clusterSecret: secret }), begun.m1),
  );
  const stolen = decodeM2(beas.m2);
  assert(!(stolen instanceof DecodeError));
  const own = await towards(mallory, ada, 1);
  const m2 = await forgedM2(own, begun.m1, stolen, stolen.proof);
  assertRefused(await confirmExchange(begun.state, m2, ada.offer), "cluster secret not proved");
});

Deno.test("an initiator's relayed proof proves nothing to the responder", async () => {
  // Ada is a member and dials Mallory, in an exchange that Mallory may finish.
  const begun = await beginExchange(
    await towards(ada, mallory, 1, { clusterSecret: secret, isMember: () => true }),
  );
  const mallorys = accepted(await answerExchange(await towards(mallory, ada, 1), begun.m1));
  const adas = accepted(await confirmExchange(begun.state, mallorys.m2, ada.offer));
  const proof = decodeCbor(adas.m3);
  assert(Array.isArray(proof) && proof[0] instanceof Uint8Array);
  const stolen = copyBytes(proof[0]);
  // Mallory dials Bea and shows Ada's proof as her own.
  const dial = await beginExchange(
    await towards(mallory, bea, 2, {
      // The only randomness that goes into m3 is the proof.
      entropy: { bytes: (length) => length === 32 ? stolen : filled(0, length) },
    }),
  );
  const beas = accepted(
    await answerExchange(await towards(bea, mallory, 2, { clusterSecret: secret }), dial.m1),
  );
  const m3 = accepted(await confirmExchange(dial.state, beas.m2, mallory.offer)).m3;
  assertRefused(await acceptConfirm(beas.state, m3, never), "cluster secret not proved");
});

Deno.test("a proof shown back to its maker is wrong: roles differ", async () => {
  // Ada has no secret; for the proof in m3 her randomness gives what Bea's m2 showed.
  const shown: Bytes[] = [];
  const repeating = { bytes: (length: number): Bytes => shown[0] ?? entropy.bytes(length) };
  const { begun, answered } = await upToM2({ entropy: repeating }, { clusterSecret: secret });
  const m2 = decodeM2(answered.m2);
  assert(!(m2 instanceof DecodeError));
  shown.push(m2.proof);
  const confirmed = accepted(await confirmExchange(begun.state, answered.m2, ada.offer));
  assertRefused(
    await acceptConfirm(answered.state, confirmed.m3, never),
    "cluster secret not proved",
  );
});

Deno.test("a different leaf certificate on either side is noticed", async () => {
  const leafHash = filled(0xee, 32);
  for (
    const [adas, beas] of [
      [{ peer: { ...(await towards(ada, bea, 1)).peer, leafHash } }, {}],
      [{ self: { ...ada.context.self, leafHash } }, {}],
      [{}, { peer: { ...(await towards(bea, ada, 1)).peer, leafHash } }],
      [{}, { self: { ...bea.context.self, leafHash } }],
    ]
  ) {
    const { begun, answered } = await upToM2(adas, beas);
    assertRefused(
      await confirmExchange(begun.state, answered.m2, ada.offer),
      "signature wrong",
    );
  }
});

Deno.test("a client's and a server's binding cannot change places", async () => {
  const { binding } = await towards(ada, bea, 1);
  const swapped = { kind: binding.kind, client: binding.server, server: binding.client };
  const { begun, answered } = await upToM2({}, { binding: swapped });
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "signature wrong");
});

Deno.test("a value too short or too long to bind anything is refused by both sides", async () => {
  for (const length of [0, channelBindingBytesMin - 1, channelBindingBytesMax + 1]) {
    const binding = { kind: 1, client: filled(1, length), server: filled(2, 32) } as const;
    const { m1 } = await beginExchange(await towards(ada, bea, 1));
    assertRefused(
      await answerExchange(await towards(bea, ada, 1, { binding }), m1),
      "binding unfit",
    );
    const { begun, answered } = await upToM2({ binding });
    assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "binding unfit");
  }
});

Deno.test("what one sent cannot be sent back to it", async () => {
  // Mallory answers Ada's dial with what Ada, dialled by Mallory, made of Ada's own m1.
  const begun = await beginExchange(await towards(ada, mallory, 1));
  const reflected = accepted(await answerExchange(await towards(ada, mallory, 2), begun.m1));
  assertRefused(await confirmExchange(begun.state, reflected.m2, ada.offer), "signature wrong");
});

Deno.test("the seal of m3 does not open as m4 of the same exchange", async () => {
  const { confirmed } = await upToM3();
  const m3 = decodeCbor(confirmed.m3);
  assert(Array.isArray(m3) && m3[2] instanceof Uint8Array);
  assertRefused(
    await finishExchange(confirmed.state, encodeCbor([m3[2]])),
    "seal does not open",
  );
});

Deno.test("initiator and responder cannot change places", async () => {
  // Bea answers as if she had dialled: the ids in her transcript are the other way round.
  const begun = await beginExchange(await towards(ada, bea, 1));
  const beas = await towards(bea, ada, 1);
  const honest = decodeM2(accepted(await answerExchange(beas, begun.m1)).m2);
  assert(!(honest instanceof DecodeError));
  const hash = await hashExchange(beas, "initiator", begun.m1, honest.head);
  const claim = responderClaim(hash, honest.proof);
  const signature = await signWith(bea.key, claim.label, claim.data);
  assertRefused(
    await confirmExchange(
      begun.state,
      encodeM2(honest.head, honest.proof, signature),
      ada.offer,
    ),
    "signature wrong",
  );
});

// Negotiation.

/** An m2 with the given head, rightly signed by its maker. */
async function forgedM2(
  context: ExchangeContext,
  m1: Bytes,
  fields: ExchangeM2Head,
  proof = filled(0, 32),
): Promise<Bytes> {
  const head = encodeM2Head(fields);
  const claim = responderClaim(await hashExchange(context, "responder", m1, head), proof);
  return encodeM2(head, proof, await context.self.identity.sign(claim.label, claim.data));
}

async function forgedAnswer(change: Partial<ExchangeM2Head>) {
  const { begun, answered } = await upToM2();
  const honest = decodeM2(answered.m2);
  assert(!(honest instanceof DecodeError));
  const m2 = await forgedM2(await towards(bea, ada, 1), begun.m1, { ...honest, ...change });
  return await confirmExchange(begun.state, m2, ada.offer);
}

Deno.test("a choice that was not on offer is refused, even signed", async () => {
  accepted(await forgedAnswer({}));
  for (const version of [0, 2, 255]) {
    assertRefused(await forgedAnswer({ version }), "version not offered");
  }
  for (const binding of [0, 2, 255]) {
    assertRefused(await forgedAnswer({ binding }), "binding not offered");
  }
});

Deno.test("unknown versions and bindings beside a known one are passed over", async () => {
  const { m1 } = await beginExchange(await towards(ada, bea, 1));
  const start = decodeM1(m1);
  assert(!(start instanceof DecodeError));
  const answer = async (versions: readonly number[], bindings: readonly number[]) =>
    await answerExchange(
      await towards(bea, ada, 1),
      encodeM1({ ...start, versions, bindings }),
    );
  const { m2 } = accepted(await answer([0, 1, 2, 99], [0, 1, 7]));
  const chosen = decodeM2(m2);
  assert(!(chosen instanceof DecodeError));
  assertEquals([chosen.version, chosen.binding], [1, 1]);
  assertRefused(await answer([0, 2], [1]), "no common version");
  assertRefused(await answer([1], [0, 2]), "no common binding");
});

Deno.test("an offer changed on the way, to more or to less, is noticed", async () => {
  const begun = await beginExchange(await towards(ada, bea, 1));
  const start = decodeM1(begun.m1);
  assert(!(start instanceof DecodeError));
  const changed = encodeM1({ ...start, versions: [1, 2] });
  const answered = accepted(await answerExchange(await towards(bea, ada, 1), changed));
  assertRefused(await confirmExchange(begun.state, answered.m2, ada.offer), "signature wrong");
});

// Unfit shares.

Deno.test("low-order shares and malformed keys are refused, even signed", async () => {
  const lowOrder = filled(0, 32);
  const { m1 } = await beginExchange(await towards(ada, bea, 1));
  const start = decodeM1(m1);
  assert(!(start instanceof DecodeError));
  const beas = await towards(bea, ada, 1);
  const malformed = filled(0xff, 1_184);
  for (
    const wrong of [
      { ...start, share: lowOrder },
      { ...start, encapsulationKey: malformed },
    ]
  ) assertRefused(await answerExchange(beas, encodeM1(wrong)), "share unfit");
  assertRefused(await forgedAnswer({ share: lowOrder }), "share unfit");
});

// The own id.

async function ownIdExchange(dialler: TestNode, dialled: TestNode, extra: Extra = {}) {
  const begun = await beginExchange(await towards(dialler, dialled, 1, extra));
  const answered = accepted(
    await answerExchange(await towards(dialled, dialler, 1, extra), begun.m1),
  );
  const confirmed = accepted(await confirmExchange(begun.state, answered.m2, dialler.offer));
  const atDialled = await acceptConfirm(answered.state, confirmed.m3, never);
  assertInstanceOf(atDialled, ExchangeRefusal);
  assert(atDialled.m4 !== undefined);
  const atDialler = await finishExchange(confirmed.state, atDialled.m4);
  assertInstanceOf(atDialler, ExchangeRefusal);
  return { m3: confirmed.m3, atDialled, atDialler };
}

Deno.test("a node that dials itself reads its own boot nonce", async () => {
  const { atDialler, atDialled } = await ownIdExchange(ada, ada);
  for (const refusal of [atDialler, atDialled]) {
    assertRefused(refusal, "own id");
    assertEquals(refusal.bootNonce, ada.offer.bootNonce);
  }
});

Deno.test("two nodes with one key learn each other's boot nonce and nothing else", async () => {
  const [old, clone] = [await node(1, 40), await node(1, 41)];
  for (const extra of [{}, { clusterSecret: secret }]) {
    const { m3, atDialler, atDialled } = await ownIdExchange(old, clone, extra);
    assertRefused(atDialler, "own id");
    assertRefused(atDialled, "own id");
    assertEquals(atDialler.bootNonce, clone.offer.bootNonce);
    assertEquals(atDialled.bootNonce, old.offer.bootNonce);
    assertEquals(atDialler.m4, undefined);
    // Array head, proof, signature, then 25 bytes of notice and 16 of tag.
    assertEquals(m3.length, 1 + 34 + 66 + 2 + 25 + 16);
    assert((atDialled.m4?.length ?? 0) < 50);
  }
});

Deno.test("without the key, the own id gets nobody to a boot nonce", async () => {
  // Mallory comes under Ada's certificates, as if TLS had been fooled, but signs with her own key.
  const posing: TestNode = {
    ...mallory,
    context: {
      ...mallory.context,
      self: {
        ...mallory.context.self,
        identity: {
          id: ada.context.self.identity.id,
          sign: (label, data) => signWith(mallory.key, label, data),
        },
      },
    },
  };
  const seenByAda = {
    peer: {
      id: ada.context.self.identity.id,
      publicKey: ada.key.publicKey,
      leafHash: mallory.context.self.leafHash,
    },
  };
  const dial = await beginExchange(await towards(posing, ada, 1));
  const answered = accepted(
    await answerExchange(await towards(ada, ada, 1, seenByAda), dial.m1),
  );
  const confirmed = accepted(await confirmExchange(dial.state, answered.m2, mallory.offer));
  const refusal = await acceptConfirm(answered.state, confirmed.m3, never);
  assertRefused(refusal, "signature wrong");
  assert(refusal instanceof ExchangeRefusal);
  assertEquals([refusal.bootNonce, refusal.m4], [undefined, undefined]);

  const begun = await beginExchange(await towards(ada, ada, 1, seenByAda));
  const posed = accepted(await answerExchange(await towards(posing, ada, 1), begun.m1));
  assertRefused(await confirmExchange(begun.state, posed.m2, ada.offer), "signature wrong");
});

Deno.test("every message fits the body that carries it", () => {
  assert(m1BytesLength <= m1BytesMax && m2BytesLength <= m2BytesMax);
  for (const max of [m1BytesMax, m2BytesMax, m3BytesMax, m4BytesMax]) {
    assert(max <= exchangeBodyBytesMax);
  }
});
