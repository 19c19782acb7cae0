/** What this node shows in TLS. @module */

/** The leaf and the root as PEM, in this order, and the leaf's private key as PKCS#8 PEM. */
export interface TlsCredentials {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
}
