/**
 * TLS 1.3 (RFC 8446) by hand, both sides, for attacks that no library lends itself to: it presents
 * whatever certificates it is given and signs the handshake with whatever it is given. One cipher
 * suite (TLS_AES_128_GCM_SHA256), one group (X25519), one signature (Ed25519), no resumption. It
 * believes everything the other end says.
 *
 * @module
 */
import { type Bytes, concatBytes, copyBytes, encodeUint, utf8 } from "../../../src/base/bytes.ts";

/** Who one claims to be. */
export interface Presentation {
  /** As they stand in the Certificate message: leaf first. Any bytes. */
  readonly certificates: readonly Uint8Array[];
  /** Signs what CertificateVerify signs (RFC 8446 §4.4.3); `undefined` leaves the message out. */
  readonly sign: ((content: Bytes) => Promise<Bytes>) | undefined;
}

/** The other end broke off, or said what it must not. */
export class HandTlsError extends Error {
  override readonly name = "HandTlsError";
}

const recordTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const;
const messages = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
} as const;
const extensions = {
  supportedGroups: 10,
  signatureAlgorithms: 13,
  supportedVersions: 43,
  keyShare: 51,
} as const;
const suite = 0x1301;
const x25519 = 0x001d;
const ed25519 = 0x0807;

function vector(lengthBytes: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = concatBytes(...parts);
  return concatBytes(encodeUint(content.length, lengthBytes), content);
}

function extension(type: number, ...parts: readonly Uint8Array[]): Bytes {
  return concatBytes(encodeUint(type, 2), vector(2, ...parts));
}

function message(type: number, ...parts: readonly Uint8Array[]): Bytes {
  return concatBytes(Uint8Array.of(type), vector(3, ...parts));
}

async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concatBytes(...parts)));
}

async function hmac(key: Bytes, data: Bytes): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

/** HKDF-Expand-Label (RFC 8446 §7.1) of at most 32 bytes: one block. */
async function expandLabel(
  secret: Bytes,
  label: string,
  context: Uint8Array,
  length: number,
): Promise<Bytes> {
  const info = concatBytes(
    encodeUint(length, 2),
    vector(1, utf8(`tls13 ${label}`)),
    vector(1, context),
    Uint8Array.of(1),
  );
  return (await hmac(secret, info)).slice(0, length);
}

const none: Bytes = new Uint8Array(0);
const zeros: Bytes = new Uint8Array(32);

/** Seals or opens the records of one direction under one secret. */
class RecordKey {
  readonly #key: CryptoKey;
  readonly #iv: Bytes;
  #sequence = 0;

  private constructor(key: CryptoKey, iv: Bytes) {
    this.#key = key;
    this.#iv = iv;
  }

  static async of(secret: Bytes): Promise<RecordKey> {
    const [key, iv] = await Promise.all([
      expandLabel(secret, "key", none, 16),
      expandLabel(secret, "iv", none, 12),
    ]);
    const usages: KeyUsage[] = ["encrypt", "decrypt"];
    return new RecordKey(await crypto.subtle.importKey("raw", key, "AES-GCM", false, usages), iv);
  }

  #next(header: Bytes): AesGcmParams {
    const counter = concatBytes(new Uint8Array(4), encodeUint(this.#sequence++, 8));
    const iv = this.#iv.map((byte, i) => byte ^ (counter[i] ?? 0));
    return { name: "AES-GCM", iv, additionalData: header };
  }

  async seal(type: number, content: Uint8Array): Promise<Bytes> {
    const inner = concatBytes(content, Uint8Array.of(type));
    const header = concatBytes(
      Uint8Array.of(recordTypes.data, 3, 3),
      encodeUint(inner.length + 16, 2),
    );
    const sealed = await crypto.subtle.encrypt(this.#next(header), this.#key, inner);
    return concatBytes(header, new Uint8Array(sealed));
  }

  async open(header: Bytes, sealed: Bytes): Promise<{ type: number; content: Bytes }> {
    const inner = new Uint8Array(
      await crypto.subtle.decrypt(this.#next(header), this.#key, sealed),
    );
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    return { type: inner[end - 1] ?? 0, content: inner.slice(0, Math.max(0, end - 1)) };
  }
}

/** A TLS 1.3 connection made by hand. */
export class HandTls {
  readonly #connection: Deno.Conn;
  #received: Bytes = none;
  #handshake: Bytes = none;
  #transcript: Bytes = none;
  #writeKey: RecordKey | undefined;
  #readKey: RecordKey | undefined;
  #data: Bytes[] = [];
  /** The certificates that the other end presented, unjudged. */
  theirs: readonly Bytes[] = [];

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Shakes hands as a client on a TCP connection. Closes it if that fails. */
  static async client(connection: Deno.Conn, own: Presentation): Promise<HandTls> {
    const tls = new HandTls(connection);
    return await tls.#closingOnError(tls.#asClient(own));
  }

  /** Shakes hands as a server on a TCP connection. Closes it if that fails. */
  static async server(connection: Deno.Conn, own: Presentation): Promise<HandTls> {
    const tls = new HandTls(connection);
    return await tls.#closingOnError(tls.#asServer(own));
  }

  async #closingOnError(work: Promise<void>): Promise<HandTls> {
    try {
      await work;
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #asClient(own: Presentation): Promise<void> {
    const pair = await newShare();
    const hello = message(
      messages.clientHello,
      Uint8Array.of(3, 3),
      crypto.getRandomValues(new Uint8Array(32)),
      vector(1),
      vector(2, encodeUint(suite, 2)),
      vector(1, Uint8Array.of(0)),
      vector(
        2,
        extension(extensions.supportedVersions, vector(1, Uint8Array.of(3, 4))),
        extension(extensions.supportedGroups, vector(2, encodeUint(x25519, 2))),
        extension(extensions.signatureAlgorithms, vector(2, encodeUint(ed25519, 2))),
        extension(extensions.keyShare, vector(2, encodeUint(x25519, 2), vector(2, pair.share))),
      ),
    );
    await this.#say(hello);
    const answer = await this.#hear(messages.serverHello);
    const share = findExtension(
      answer.subarray(38 + 1 + (answer[38] ?? 0) + 3),
      extensions.keyShare,
    );
    if (share === undefined) throw new HandTlsError("no share in ServerHello");
    const secrets = await this.#secretsOf(pair.key, share.subarray(4));
    this.#readKey = await RecordKey.of(secrets.server);
    await this.#hear(messages.encryptedExtensions);
    let request: Bytes | undefined;
    let next = await this.#hearAny();
    if (next[0] === messages.certificateRequest) {
      request = next;
      next = await this.#hearAny();
    }
    if (next[0] !== messages.certificate) throw new HandTlsError("no Certificate");
    this.theirs = certificatesIn(next);
    await this.#hear(messages.certificateVerify);
    await this.#hear(messages.finished);
    const application = await this.#applicationSecrets(secrets.handshake);
    this.#writeKey = await RecordKey.of(secrets.client);
    if (request !== undefined) {
      await this.#present(own, "client");
    }
    await this.#finish(secrets.client);
    this.#writeKey = await RecordKey.of(application.client);
    this.#readKey = await RecordKey.of(application.server);
  }

  async #asServer(own: Presentation): Promise<void> {
    const hello = await this.#hear(messages.clientHello);
    const sessionEnd = 38 + 1 + (hello[38] ?? 0);
    const suitesEnd = sessionEnd + 2 + uint(hello, sessionEnd, 2);
    const extensionsAt = suitesEnd + 1 + (hello[suitesEnd] ?? 0);
    const shares = findExtension(hello.subarray(extensionsAt), extensions.keyShare);
    const share = shares === undefined ? undefined : shareOf(shares.subarray(2));
    if (share === undefined) throw new HandTlsError("no X25519 share in ClientHello");
    const pair = await newShare();
    await this.#say(message(
      messages.serverHello,
      Uint8Array.of(3, 3),
      crypto.getRandomValues(new Uint8Array(32)),
      hello.subarray(38, sessionEnd),
      encodeUint(suite, 2),
      Uint8Array.of(0),
      vector(
        2,
        extension(extensions.supportedVersions, Uint8Array.of(3, 4)),
        extension(extensions.keyShare, encodeUint(x25519, 2), vector(2, pair.share)),
      ),
    ));
    const secrets = await this.#secretsOf(pair.key, share);
    this.#writeKey = await RecordKey.of(secrets.server);
    this.#readKey = await RecordKey.of(secrets.client);
    await this.#say(message(messages.encryptedExtensions, vector(2)));
    await this.#say(message(
      messages.certificateRequest,
      vector(1),
      vector(2, extension(extensions.signatureAlgorithms, vector(2, encodeUint(ed25519, 2)))),
    ));
    await this.#present(own, "server");
    await this.#finish(secrets.server);
    const application = await this.#applicationSecrets(secrets.handshake);
    const certificate = await this.#hear(messages.certificate);
    this.theirs = certificatesIn(certificate);
    if (this.theirs.length > 0) await this.#hear(messages.certificateVerify);
    await this.#hear(messages.finished);
    this.#writeKey = await RecordKey.of(application.server);
    this.#readKey = await RecordKey.of(application.client);
  }

  async #secretsOf(key: CryptoKey, share: Uint8Array) {
    const shared = await agree(key, share);
    const derived = await expandLabel(await hmac(zeros, zeros), "derived", await sha256(), 32);
    const handshake = await hmac(derived, shared);
    const transcript = await sha256(this.#transcript);
    const [client, server] = await Promise.all([
      expandLabel(handshake, "c hs traffic", transcript, 32),
      expandLabel(handshake, "s hs traffic", transcript, 32),
    ]);
    return { handshake, client, server };
  }

  /** To be called with the transcript up to the server's Finished. */
  async #applicationSecrets(handshake: Bytes) {
    const derived = await expandLabel(handshake, "derived", await sha256(), 32);
    const master = await hmac(derived, zeros);
    const transcript = await sha256(this.#transcript);
    const [client, server] = await Promise.all([
      expandLabel(master, "c ap traffic", transcript, 32),
      expandLabel(master, "s ap traffic", transcript, 32),
    ]);
    return { client, server };
  }

  async #present({ certificates, sign }: Presentation, side: "client" | "server"): Promise<void> {
    const entries = certificates.map((one) => concatBytes(vector(3, one), vector(2)));
    await this.#say(message(messages.certificate, vector(1), vector(3, ...entries)));
    if (sign === undefined || certificates.length === 0) return;
    const content = concatBytes(
      new Uint8Array(64).fill(0x20),
      utf8(`TLS 1.3, ${side} CertificateVerify`),
      Uint8Array.of(0),
      await sha256(this.#transcript),
    );
    const signature = vector(2, await sign(content));
    await this.#say(message(messages.certificateVerify, encodeUint(ed25519, 2), signature));
  }

  async #finish(secret: Bytes): Promise<void> {
    const key = await expandLabel(secret, "finished", none, 32);
    await this.#say(message(messages.finished, await hmac(key, await sha256(this.#transcript))));
  }

  /** Sends a handshake message, noted in the transcript. */
  async #say(bytes: Bytes): Promise<void> {
    this.#transcript = concatBytes(this.#transcript, bytes);
    await this.#send(recordTypes.handshake, bytes);
  }

  async #send(type: number, content: Uint8Array): Promise<void> {
    const record = this.#writeKey === undefined
      ? concatBytes(Uint8Array.of(type, 3, 3), vector(2, content))
      : await this.#writeKey.seal(type, content);
    let written = 0;
    while (written < record.length) {
      written += await this.#connection.write(record.subarray(written));
    }
  }

  async #hear(type: number): Promise<Bytes> {
    const heard = await this.#hearAny();
    if (heard[0] !== type) throw new HandTlsError(`message ${heard[0]} instead of ${type}`);
    return heard;
  }

  /** The next handshake message, noted in the transcript. */
  async #hearAny(): Promise<Bytes> {
    while (true) {
      const length = 4 + uint(this.#handshake, 1, 3);
      if (this.#handshake.length >= 4 && this.#handshake.length >= length) {
        const heard = this.#handshake.slice(0, length);
        this.#handshake = this.#handshake.slice(length);
        this.#transcript = concatBytes(this.#transcript, heard);
        return heard;
      }
      const record = await this.#receive();
      if (record === undefined) throw new HandTlsError("closed during the handshake");
      if (record.type === recordTypes.alert) throw new HandTlsError(`alert ${record.content[1]}`);
      if (record.type === recordTypes.handshake) {
        this.#handshake = concatBytes(this.#handshake, record.content);
      }
    }
  }

  async #receive(): Promise<{ type: number; content: Bytes } | undefined> {
    while (this.#received.length < 5 || this.#received.length < 5 + uint(this.#received, 3, 2)) {
      const buffer = new Uint8Array(16_384);
      const length = await this.#connection.read(buffer);
      if (length === null) return undefined;
      this.#received = concatBytes(this.#received, buffer.subarray(0, length));
    }
    const end = 5 + uint(this.#received, 3, 2);
    const header = this.#received.slice(0, 5);
    const content = this.#received.slice(5, end);
    this.#received = this.#received.slice(end);
    const type = header[0] ?? 0;
    if (type !== recordTypes.data || this.#readKey === undefined) return { type, content };
    return await this.#readKey.open(header, content);
  }

  /** Sends application data. */
  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += 16_000) {
      await this.#send(recordTypes.data, data.subarray(at, at + 16_000));
    }
  }

  /** The next application data; `undefined` at the end, by whatever way it came. */
  async read(): Promise<Bytes | undefined> {
    while (this.#data.length === 0) {
      const record = await this.#receive().catch(() => undefined);
      if (record === undefined || record.type === recordTypes.alert) return undefined;
      if (record.type === recordTypes.data) this.#data.push(record.content);
    }
    return this.#data.shift();
  }

  /** All application data to the end. */
  async readAll(): Promise<Bytes> {
    const parts: Bytes[] = [];
    for (let part = await this.read(); part !== undefined; part = await this.read()) {
      parts.push(part);
    }
    return concatBytes(...parts);
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // Closed before: the other end or an earlier failure did it.
    }
  }
}

function uint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** Content of an extension in a list of them, its two bytes of length in front. */
function findExtension(list: Bytes, type: number): Bytes | undefined {
  for (let at = 2; at + 4 <= list.length; at += 4 + uint(list, at + 2, 2)) {
    const start = at + 4;
    if (uint(list, at, 2) === type) return list.slice(start, start + uint(list, at + 2, 2));
  }
  return undefined;
}

/** The X25519 share among those of a ClientHello. */
function shareOf(entries: Bytes): Bytes | undefined {
  for (let at = 0; at + 4 <= entries.length; at += 4 + uint(entries, at + 2, 2)) {
    const length = uint(entries, at + 2, 2);
    if (uint(entries, at, 2) === x25519) return entries.slice(at + 4, at + 4 + length);
  }
  return undefined;
}

/** The certificates in a Certificate message (RFC 8446 §4.4.2). */
function certificatesIn(certificate: Bytes): Bytes[] {
  const found: Bytes[] = [];
  let at = 4 + 1 + (certificate[4] ?? 0) + 3;
  while (at + 3 <= certificate.length) {
    const length = uint(certificate, at, 3);
    found.push(copyBytes(certificate.subarray(at + 3, at + 3 + length)));
    at += 3 + length;
    at += 2 + uint(certificate, at, 2);
  }
  return found;
}

async function newShare(): Promise<{ readonly key: CryptoKey; readonly share: Bytes }> {
  const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
  if (!("privateKey" in pair)) throw new HandTlsError("no key pair");
  const share = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { key: pair.privateKey, share };
}

async function agree(key: CryptoKey, share: Uint8Array): Promise<Bytes> {
  const theirs = await crypto.subtle.importKey("raw", copyBytes(share), "X25519", false, []);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "X25519", public: theirs }, key, 256),
  );
}
