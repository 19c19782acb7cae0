/**
 * Making an `info` fit into a record of 1,000 bytes. What is dropped, in this order, until it fits:
 *
 * 1. own endpoints past the twelfth, observed ones past the fourth, labels past the sixteenth;
 * 2. own endpoints, while more than four are left: loopback first, then link-local, private,
 *    global; of one scope the one listed last first;
 * 3. labels, the last by name first;
 * 4. observed endpoints, the last first.
 *
 * Everything else together is below the limit by the limits of its parts.
 *
 * @module
 */
import { wallTime } from "../base/instant.ts";
import type { IpScope } from "../base/ip.ts";
import type { CborValue } from "../wire/cbor.ts";
import { encodeCoseSign1 } from "../wire/cose_sign1.ts";
import { encodeInfo, type Endpoint, type InfoBody } from "../wire/info.ts";
import {
  endpointsKeptMin,
  endpointsMax,
  labelsMax,
  observedEndpointsMax,
  recordBytesMax,
  signatureLength,
} from "../wire/limits.ts";
import { encodeRecordPayload } from "../wire/record.ts";

/** An `info` that fits, and what it cost. */
export interface FittedInfo {
  readonly info: InfoBody;
  readonly droppedEndpoints: number;
  readonly droppedLabels: number;
}

const dropOrder: readonly IpScope[] = ["loopback", "link-local", "private", "global"];

/** The most bytes a record with this self kind and body can have, whatever its serial and time. */
export function recordBytesWith(kind: number, body: CborValue): number {
  const payload = encodeRecordPayload({
    kind,
    subject: new Uint8Array(0),
    serial: Number.MAX_SAFE_INTEGER,
    signedAt: wallTime(Number.MAX_SAFE_INTEGER),
    body,
  });
  const key = new Uint8Array(32);
  return encodeCoseSign1({ key, payload, signature: new Uint8Array(signatureLength) }).length;
}

/** The endpoints without the one that is missed least. */
function dropEndpoint(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  for (const scope of dropOrder) {
    const at = endpoints.findLastIndex((endpoint) => endpoint.scope === scope);
    if (at >= 0) return endpoints.toSpliced(at, 1);
  }
  return endpoints.slice(0, -1);
}

/** Drops what is too much; the order is this module's. */
export function fitInfo(whole: InfoBody): FittedInfo {
  let endpoints = whole.endpoints;
  while (endpoints.length > endpointsMax) endpoints = dropEndpoint(endpoints);
  let observed = whole.observed.slice(0, observedEndpointsMax);
  let labels = [...whole.labels].sort(([a], [b]) => a < b ? -1 : 1).slice(0, labelsMax);
  const fits = () =>
    recordBytesWith(
      0,
      encodeInfo({ ...whole, endpoints, observed, labels: new Map(labels) }),
    ) <= recordBytesMax;
  while (!fits()) {
    if (endpoints.length > endpointsKeptMin) endpoints = dropEndpoint(endpoints);
    else if (labels.length > 0) labels = labels.slice(0, -1);
    else if (observed.length > 0) observed = observed.slice(0, -1);
    else break;
  }
  return {
    info: { ...whole, endpoints, observed, labels: new Map(labels) },
    droppedEndpoints: whole.endpoints.length + whole.observed.length - endpoints.length -
      observed.length,
    droppedLabels: whole.labels.size - labels.length,
  };
}
