/**
 * Values of options: text into what it means, or `undefined` (or why not) if it means nothing.
 *
 * @module
 */
import { utf8 } from "../base/bytes.ts";
import { parseIp } from "../base/ip.ts";
import { isPlainText } from "../base/text.ts";
import type { ListenOptions } from "../node/mod.ts";
import { nameBytesMax } from "../wire/limits.ts";
import { parsePort, parseSocketAddress } from "../wire/socket_address.ts";

/** Why a value is not accepted, to be read after the option's name. */
export interface ValueError {
  readonly why: string;
}

function why(reason: string): ValueError {
  return { why: reason };
}

/** Whether a value was not accepted. */
export function isValueError(value: string | object): value is ValueError {
  return typeof value === "object" && "why" in value;
}

/** A whole number from 1 on. */
export function parseCount(text: string, most: number): number | undefined {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= most ? count : undefined;
}

/** A decimal number of seconds: `2`, `0.5`. */
export function parseSeconds(text: string): number | undefined {
  return /^(?:\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})$/.test(text) ? Number(text) : undefined;
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** A length of time with its unit: `500ms`, `30s`, `5m`, `2h`, `1d`. In milliseconds. */
export function parseLength(text: string): number | undefined {
  const [, number = "", unit = ""] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const factor = unitMs.get(unit);
  return factor === undefined ? undefined : Number(number) * factor;
}

/** A name or a part of a label: plain text of at most 64 bytes. */
export function parseName(text: string): string | ValueError {
  const name = text.normalize("NFC");
  if (name === "") return why("must not be empty");
  if (utf8(name).length > nameBytesMax) return why(`has more than ${nameBytesMax} bytes`);
  if (!isPlainText(name)) {
    return why("must not have control or invisible characters, or spaces at its ends");
  }
  return name;
}

/** `K=V`. */
export function parseLabel(text: string): readonly [string, string] | ValueError {
  const equals = text.indexOf("=");
  if (equals < 0) return why(`is K=V, not "${text}"`);
  const key = parseName(text.slice(0, equals));
  if (isValueError(key)) return why(`"${text}": the key ${key.why}`);
  const value = parseName(text.slice(equals + 1));
  if (isValueError(value)) return why(`"${text}": the value ${value.why}`);
  return [key, value];
}

/** `PORT` or `HOST:PORT` of this machine; HOST is an address, IPv6 in brackets. */
export function parseListen(text: string): ListenOptions | ValueError {
  const alone = parsePort(text);
  if (alone !== undefined) return { port: alone };
  const address = parseSocketAddress(text);
  if (address !== undefined) {
    const { ip, port, zone } = address;
    return zone === undefined ? { host: ip, port } : { host: ip, port, zone };
  }
  if (/^\d+$/.test(text)) return why(`"${text}" is no port: 0 to 65535`);
  if (parseIp(text) !== undefined) return why(`"${text}" lacks the port: ${withPort(text, 7411)}`);
  return why(`is PORT or ADDRESS:PORT (IPv6 in brackets: [::1]:7411), not "${text}"`);
}

function withPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** RFC 1123 §2.1: labels of letters, digits and hyphens, 253 characters in all. */
const hostName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?))*\.?$/i;

/** `HOST:PORT` of another machine; HOST is a name or an address, IPv6 in brackets. */
export function parsePeer(text: string): string | ValueError {
  if (parseIp(text) !== undefined) {
    const v6 = /^(.*):(\d{1,5})$/.exec(text);
    const meant = v6 !== null && text.includes(":") && parseIp(v6[1] ?? "") !== undefined
      ? ` (or [${v6[1]}]:${v6[2]}, if that is meant)`
      : "";
    return why(`"${text}" lacks the port: ${withPort(text, 7411)}${meant}`);
  }
  const [, host = "", portText = ""] = /^(.+):(\d+)$/.exec(text) ?? [];
  if (host === "") {
    return hostName.test(text)
      ? why(`"${text}" lacks the port: ${text}:7411`)
      : why(`is HOST:PORT (IPv6 in brackets: [2001:db8::7]:7411), not "${text}"`);
  }
  const port = parsePort(portText);
  if (port === undefined || port === 0) return why(`"${text}": the port is 1 to 65535`);
  if (parseSocketAddress(text) !== undefined) return text;
  if (parseIp(host) !== undefined || host.includes(":")) {
    return why(`"${text}": an IPv6 address stands in brackets: [2001:db8::7]:${port}`);
  }
  if (!hostName.test(host) || /^[\d.]+$/.test(host)) return why(`"${text}": "${host}" is no host`);
  return text;
}

/** `https://HOST:PORT` with an optional `#ID`. */
export function parseRendezvous(text: string): string | ValueError {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== "https:" || url.username !== "" || url.search !== "") {
    return why(`is https://HOST:PORT or https://HOST:PORT#ID, not "${text}"`);
  }
  if (url.hash !== "" && !/^#[a-z2-7]{52}$/.test(url.hash)) {
    return why(`"${text}": what follows # is a full id of 52 characters`);
  }
  return text;
}

/** The name of a network interface, as the system may have it. */
export function parseInterface(text: string): string | ValueError {
  const name = parseName(text);
  if (isValueError(name)) return name;
  return /[/:]/.test(name) ? why(`"${text}" is no name of an interface`) : name;
}
