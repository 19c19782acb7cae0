/**
 * What a TLS connection of the runtime tells about itself, and nothing that it concludes. The
 * runtime's own judgement (`authorized`, names, dates) is never read: SECURITY.md, "The platform's
 * TLS", lists how it can be fooled.
 *
 * @module
 */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { type Bytes, copyBytes } from "../base/bytes.ts";
import type { ChannelBinding, PresentedChain } from "../platform/secure_streams.ts";

/** A chain, or a fixed phrase that says why there is none to judge. */
export type ChainFact = PresentedChain | { readonly missing: string };

/** A DER certificate longer than this is no certificate of a mesh; PROTOCOL §2.2. */
const CERTIFICATE_BYTES_MAX = 4_096;

function rawOf(certificate: DetailedPeerCertificate | undefined): Bytes | undefined {
  const raw: unknown = certificate?.raw;
  return raw instanceof Uint8Array && raw.length > 0 ? copyBytes(raw) : undefined;
}

/**
 * The two certificates that the peer sent, byte for byte. Only `raw` is taken: the runtime's other
 * accessor decodes PEM before it looks.
 */
export function chainOf(socket: TLSSocket): ChainFact {
  try {
    // A resumed session carries the certificates of another connection.
    if (socket.isSessionReused()) return { missing: "session was resumed" };
    const first = socket.getPeerCertificate(true);
    const leaf = rawOf(first);
    if (leaf === undefined) return { missing: "no certificate" };
    const second: DetailedPeerCertificate | undefined = first.issuerCertificate;
    const root = rawOf(second);
    if (root === undefined || second === first) return { missing: "only one certificate" };
    // The runtime links a last certificate that names itself as issuer to itself.
    const third: DetailedPeerCertificate | undefined = second.issuerCertificate;
    if (third !== undefined && third !== second) return { missing: "more than two certificates" };
    if (leaf.length > CERTIFICATE_BYTES_MAX || root.length > CERTIFICATE_BYTES_MAX) {
      return { missing: "certificate too long" };
    }
    return { leaf, root };
  } catch {
    return { missing: "unreadable certificates" }; // It throws on what is no DER.
  }
}

/** The values that no other connection shares, or `undefined` if this one must not be trusted. */
export function bindingOf(
  socket: TLSSocket,
  role: "client" | "server",
): ChannelBinding | undefined {
  try {
    if (socket.getProtocol() !== "TLSv1.3" || socket.isSessionReused()) return undefined;
    const own = socket.getFinished();
    const peers = socket.getPeerFinished();
    if (own === undefined || peers === undefined) return undefined;
    if (own.length < 32 || own.length > 64 || peers.length < 32 || peers.length > 64) {
      return undefined;
    }
    const [client, server] = role === "client" ? [own, peers] : [peers, own];
    return { kind: 1, client: copyBytes(client), server: copyBytes(server) };
  } catch {
    return undefined; // The connection broke while it was asked.
  }
}
