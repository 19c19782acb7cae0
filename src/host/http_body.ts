/** Reading the body of an HTTP message without holding more of it than allowed. @module */
import type { IncomingMessage } from "node:http";
import { type Bytes, concatBytes } from "../base/bytes.ts";

/** A whole body, or why there is none. */
export type BodyOutcome =
  | { readonly body: Bytes }
  | { readonly failed: "too large" | "broken" };

/** Reads the body; stops taking bytes from the connection as soon as there are more than allowed. */
export function readBody(message: IncomingMessage, bytesMax: number): Promise<BodyOutcome> {
  const told = Number(message.headers["content-length"] ?? 0);
  if (!(told <= bytesMax)) return Promise.resolve({ failed: "too large" });
  return new Promise((resolve) => {
    const parts: Uint8Array[] = [];
    let length = 0;
    const settle = (outcome: BodyOutcome) => {
      message.off("data", onData);
      message.off("end", onEnd);
      message.off("close", onBroken);
      resolve(outcome);
    };
    const onData = (part: Uint8Array) => {
      length += part.length;
      if (length > bytesMax) {
        message.pause();
        settle({ failed: "too large" });
      } else parts.push(part);
    };
    const onEnd = () => settle({ body: concatBytes(...parts) });
    const onBroken = () => settle({ failed: "broken" });
    message.on("data", onData);
    message.on("end", onEnd);
    message.on("close", onBroken);
    message.on("error", onBroken); // Stays: an error without a listener would end the process.
  });
}
