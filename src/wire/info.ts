/**
 * The body of an `info` record (kind 0): what a node says of itself. A CBOR map; keys that this
 * reader does not know are skipped, lists that are empty are left out. PROTOCOL §7.3.
 *
 * ```text
 * 1 name            text 1–64 bytes
 * 2 endpoints       [[ip 4|16 bytes, port 1–65535, scope 0–3] … ≤ 12]
 * 3 observed        the same form, ≤ 4
 * 4 capabilities    [0–65535 … ≤ 32], rising
 * 5 software        [version text ≤ 32, seq, target text ≤ 48]
 * 6 boot nonce      16 bytes
 * 7 labels          {text 1–64: text 0–64 … ≤ 16}
 * 8 update          [seq, state text ≤ 32] or [seq, state, reason text ≤ 128]
 * 9 platform        [os text ≤ 32, arch text ≤ 32]
 * ```
 * 1, 5, 6 and 9 are required. Scopes: 0 loopback, 1 link-local, 2 private, 3 global.
 *
 * All text is somebody else's: it must be plain (`isPlainText`), or the body is refused.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { DecodeError } from "../base/decode.ts";
import { type IpAddress, ipFromBytes, type IpScope, ipToBytes } from "../base/ip.ts";
import { isPlainText } from "../base/text.ts";
import { asArray, asBytes, asMap, asText, asUint, type CborValue } from "./cbor.ts";
import {
  bootNonceLength,
  capabilitiesMax,
  capabilityNumberMax,
  endpointsMax,
  labelBytesMax,
  labelsMax,
  nameBytesMax,
  observedEndpointsMax,
  platformBytesMax,
  targetBytesMax,
  updateReasonBytesMax,
  updateStateBytesMax,
  versionBytesMax,
} from "./limits.ts";

/** Where a node says that it can be dialled, or was seen. */
export interface Endpoint {
  readonly ip: IpAddress;
  /** 1–65,535. */
  readonly port: number;
  readonly scope: IpScope;
}

/** What runs on the node. */
export interface Software {
  readonly version: string;
  /** Number of the release in order, 0 for none. */
  readonly seq: number;
  /** Target triple. */
  readonly target: string;
}

/** How far the node's update is. */
export interface UpdateState {
  readonly seq: number;
  readonly state: string;
  readonly reason?: string;
}

/** What a node says of itself. */
export interface InfoBody {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly observed: readonly Endpoint[];
  /** Rising, without repetition. */
  readonly capabilities: readonly number[];
  readonly software: Software;
  /** 16 bytes, drawn at the node's start. */
  readonly bootNonce: Bytes;
  readonly labels: ReadonlyMap<string, string>;
  readonly update?: UpdateState;
  readonly platform: { readonly os: string; readonly arch: string };
}

const scopes: readonly IpScope[] = ["loopback", "link-local", "private", "global"];

function encodeEndpoints(endpoints: readonly Endpoint[]): CborValue {
  return endpoints.map(({ ip, port, scope }) => [ipToBytes(ip), port, scopes.indexOf(scope)]);
}

/** The body as a CBOR value. Not checked against the limits: see `decodeInfo`. */
export function encodeInfo(info: InfoBody): CborValue {
  const body = new Map<number, CborValue>([[1, info.name]]);
  if (info.endpoints.length > 0) body.set(2, encodeEndpoints(info.endpoints));
  if (info.observed.length > 0) body.set(3, encodeEndpoints(info.observed));
  if (info.capabilities.length > 0) body.set(4, info.capabilities);
  body.set(5, [info.software.version, info.software.seq, info.software.target]);
  body.set(6, info.bootNonce);
  if (info.labels.size > 0) body.set(7, info.labels);
  if (info.update !== undefined) {
    const { seq, state, reason } = info.update;
    body.set(8, reason === undefined ? [seq, state] : [seq, state, reason]);
  }
  body.set(9, [info.platform.os, info.platform.arch]);
  return body;
}

function plainText(value: CborValue | undefined, bytesMax: number): string | undefined {
  const text = asText(value, bytesMax);
  return text !== undefined && isPlainText(text) ? text : undefined;
}

function decodeEndpoint(value: CborValue): Endpoint | undefined {
  const items = asArray(value, 3);
  const ipBytes = asBytes(items?.[0], 4, 16);
  const ip = ipBytes === undefined ? undefined : ipFromBytes(ipBytes);
  const port = asUint(items?.[1], 65_535);
  const scope = scopes[asUint(items?.[2], scopes.length - 1) ?? -1];
  if (ipBytes === undefined || ip === undefined || port === undefined || port === 0) {
    return undefined;
  }
  // An IPv4 address has one form here: its own 4 bytes, not the IPv6 address that maps it.
  if (scope === undefined || ipToBytes(ip).length !== ipBytes.length) return undefined;
  return { ip, port, scope };
}

function decodeEndpoints(value: CborValue | undefined, max: number): Endpoint[] | undefined {
  if (value === undefined) return [];
  const endpoints: Endpoint[] = [];
  const items = asArray(value, max);
  if (items === undefined) return undefined;
  for (const item of items) {
    const endpoint = decodeEndpoint(item);
    if (endpoint === undefined) return undefined;
    endpoints.push(endpoint);
  }
  return endpoints;
}

function decodeCapabilities(value: CborValue | undefined): number[] | undefined {
  if (value === undefined) return [];
  const items = asArray(value, capabilitiesMax);
  if (items === undefined) return undefined;
  const capabilities: number[] = [];
  for (const item of items) {
    const capability = asUint(item, capabilityNumberMax);
    if (capability === undefined || capability <= (capabilities.at(-1) ?? -1)) return undefined;
    capabilities.push(capability);
  }
  return capabilities;
}

function decodeSoftware(value: CborValue | undefined): Software | undefined {
  const items = asArray(value, 3);
  const version = plainText(items?.[0], versionBytesMax);
  const seq = asUint(items?.[1]);
  const target = plainText(items?.[2], targetBytesMax);
  if (version === undefined || seq === undefined || target === undefined) return undefined;
  return { version, seq, target };
}

function decodeLabels(value: CborValue | undefined): Map<string, string> | undefined {
  const labels = new Map<string, string>();
  if (value === undefined) return labels;
  const entries = asMap(value);
  if (entries === undefined || entries.size > labelsMax) return undefined;
  for (const [key, item] of entries) {
    const name = plainText(key, labelBytesMax);
    const text = item === "" ? "" : plainText(item, labelBytesMax);
    if (name === undefined || text === undefined) return undefined;
    labels.set(name, text);
  }
  return labels;
}

function decodeUpdate(value: CborValue): UpdateState | undefined {
  const items = asArray(value, 3);
  const seq = asUint(items?.[0]);
  const state = plainText(items?.[1], updateStateBytesMax);
  if (items === undefined || seq === undefined || state === undefined) return undefined;
  if (items.length === 2) return { seq, state };
  const reason = plainText(items[2], updateReasonBytesMax);
  return reason === undefined ? undefined : { seq, state, reason };
}

/** Reads the body. Never throws; refuses any text that is not plain and any list over its limit. */
export function decodeInfo(value: CborValue | undefined): InfoBody | DecodeError {
  const body = asMap(value);
  if (body === undefined) return new DecodeError("info shape");
  const name = plainText(body.get(1), nameBytesMax);
  if (name === undefined) return new DecodeError("info name");
  const endpoints = decodeEndpoints(body.get(2), endpointsMax);
  const observed = decodeEndpoints(body.get(3), observedEndpointsMax);
  if (endpoints === undefined || observed === undefined) return new DecodeError("info endpoints");
  const capabilities = decodeCapabilities(body.get(4));
  if (capabilities === undefined) return new DecodeError("info capabilities");
  const software = decodeSoftware(body.get(5));
  if (software === undefined) return new DecodeError("info software");
  const bootNonce = asBytes(body.get(6), bootNonceLength);
  if (bootNonce === undefined) return new DecodeError("info boot nonce");
  const labels = decodeLabels(body.get(7));
  if (labels === undefined) return new DecodeError("info labels");
  const updateItem = body.get(8);
  const update = updateItem === undefined ? undefined : decodeUpdate(updateItem);
  if (updateItem !== undefined && update === undefined) return new DecodeError("info update");
  const platformItems = asArray(body.get(9), 2);
  const os = plainText(platformItems?.[0], platformBytesMax);
  const arch = plainText(platformItems?.[1], platformBytesMax);
  if (os === undefined || arch === undefined) return new DecodeError("info platform");
  return {
    name,
    endpoints,
    observed,
    capabilities,
    software,
    bootNonce,
    labels,
    platform: { os, arch },
    ...(update === undefined ? {} : { update }),
  };
}
