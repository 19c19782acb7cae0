import { assert } from "@std/assert";
import { type Bytes, copyBytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { responderClaim, signWith } from "../crypto/mod.ts";
import { decodeCbor, encodeCbor } from "../wire/cbor.ts";
import { decodeM2, encodeM2 } from "../wire/exchange.ts";
import { filled } from "../../tests/fixtures/bytes.ts";
import {
  accepted,
  ada,
  assertRefused,
  bea,
  entropy,
  forgedM2,
  mallory,
  never,
  secret,
  towards,
  upToM2,
  upToM3,
} from "../../tests/fixtures/exchange_pair.ts";
import { hashExchange } from "./exchange.ts";
import { beginExchange, confirmExchange, finishExchange } from "./exchange_initiator.ts";
import { acceptConfirm, answerExchange } from "./exchange_responder.ts";
import { channelBindingBytesMax, channelBindingBytesMin } from "./limits.ts";

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
