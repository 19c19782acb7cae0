/** Examples of PROTOCOL §5: Ann asks Bob and tells him, sealed. @module */
import type { Bytes } from "../../src/base/bytes.ts";
import { equalBytes } from "../../src/base/bytes.ts";
import { DecodeError } from "../../src/base/decode.ts";
import { invariant } from "../../src/base/invariant.ts";
import {
  cookieFor,
  derivePairKey,
  importEpochSecret,
  importSealKey,
  openDatagram,
  sealDatagram,
  unwrapHandle,
  wrapHandle,
} from "../../src/crypto/mod.ts";
import {
  answerHeaderLength,
  decodeDatagram,
  encodeAnswerBody,
  encodeAnswerHeader,
  encodeRequestBody,
  encodeRequestHeader,
  encodeTellBody,
  encodeWhoAreYou,
  requestHeaderLength,
} from "../../src/wire/datagram.ts";
import { encodeAnswer, encodeRequest } from "../../src/wire/message.ts";
import { offerOf } from "../../src/wire/offer.ts";
import { nodeIdPrefix, nodeIdToBytes } from "../../src/wire/node_id.ts";
import { type Cast, counted, filled, ipOf } from "./cast.ts";
import { dump, fields, message } from "./hex.ts";

function parts(bytes: Bytes, layout: readonly (readonly [string, number])[]) {
  const named: [string, Uint8Array][] = [];
  let at = 0;
  for (const [name, length] of layout) {
    const end = length < 0 ? bytes.length + length + 1 : at + length;
    named.push([name, bytes.subarray(at, end)]);
    at = end;
  }
  invariant(at === bytes.length, "the layout covers the datagram");
  return named;
}

/** By name in the document. */
export async function datagramExamples({ ann, bob }: Cast): Promise<Record<string, string>> {
  const secret = await importEpochSecret(counted(0, 32));
  const epoch = filled(0xe2, 8);
  const prefix = nodeIdPrefix(ann.identity.id);
  const handle = await wrapHandle(secret, prefix);
  const unwrapped = await unwrapHandle(secret, handle);
  invariant(unwrapped !== undefined && equalBytes(unwrapped, prefix), "the handle is Ann's");
  const pairKey = await derivePairKey(secret, prefix, nodeIdToBytes(bob.identity.id));
  const place = ipOf("192.168.1.1");
  const cookie = await cookieFor(secret, handle, "eth0", place, 7411);

  const [replyTag, replyKey] = [filled(0x77, 8), filled(0x88, 32)];
  const header = encodeRequestHeader("request", epoch, handle, filled(0x61, 12));
  const ping = encodeRequest({ kind: "ping" });
  const request = await sealDatagram(
    await importSealKey(pairKey),
    filled(0x61, 12),
    header,
    encodeRequestBody({ time: 2_000_000, replyTag, replyKey, cookie, message: ping }),
  );
  const tellNonce = filled(0x63, 12);
  const tell = await sealDatagram(
    await importSealKey(pairKey),
    tellNonce,
    encodeRequestHeader("tell", epoch, handle, tellNonce),
    encodeTellBody({
      time: 2_000_000,
      cookie,
      message: encodeRequest({ kind: "offer", offers: [offerOf(ann.info)] }),
    }),
  );
  const answerHeader = encodeAnswerHeader(replyTag, filled(0x62, 12));
  const answerMessage = encodeAnswer({ kind: "ping", seenIp: place, seenPort: 7411 });
  const answerKey = await importSealKey(replyKey);
  const answerBody = encodeAnswerBody({ cookie, message: answerMessage });
  const answer = await sealDatagram(answerKey, filled(0x62, 12), answerHeader, answerBody);
  const nextBody = encodeAnswerBody({
    cookie,
    message: answerMessage,
    next: { epoch: filled(0xe3, 8), handle: filled(0xc3, 24), key: filled(0xd3, 32) },
  });
  for (const datagram of [request, answer, tell]) {
    invariant(!(decodeDatagram(datagram) instanceof DecodeError), "the example decodes");
  }
  const opened = await openDatagram(
    answerKey,
    filled(0x62, 12),
    answerHeader,
    answer.slice(answerHeaderLength),
  );
  invariant(opened !== undefined && equalBytes(opened, answerBody), "the example opens");
  return {
    "datagram-keys": fields([
      ["handle", handle],
      ["K(Ann → Bob)", pairKey],
      ["cookie", cookie],
    ]),
    "datagram-request": await message(
      parts(request, [
        ["version, kind", 2],
        ["epoch", 8],
        ["handle", 24],
        ["nonce", 12],
        ["sealed", request.length - requestHeaderLength - 16],
        ["tag", 16],
      ]),
      request,
    ),
    "datagram-tell": await message(
      parts(tell, [
        ["version, kind", 2],
        ["epoch", 8],
        ["handle", 24],
        ["nonce", 12],
        ["sealed", tell.length - requestHeaderLength - 16],
        ["tag", 16],
      ]),
      tell,
    ),
    "datagram-answer": await message(
      parts(answer, [
        ["version, kind", 2],
        ["reply tag", 8],
        ["nonce", 12],
        ["sealed", answer.length - answerHeaderLength - 16],
        ["tag", 16],
      ]),
      answer,
    ),
    "datagram-next-epoch": await message(
      parts(nextBody, [
        ["cookie", 16],
        ["flags", 1],
        ["epoch", 8],
        ["handle", 24],
        ["key", 32],
        ["message", -1],
      ]),
      nextBody,
    ),
    "who-are-you": dump(encodeWhoAreYou(filled(0x61, 12))),
  };
}
