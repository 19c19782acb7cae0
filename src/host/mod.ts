/**
 * The outside, as this machine and this runtime give it.
 *
 * @module
 */
export {
  connectControl,
  type ControlConnection,
  type ControlUnreachable,
} from "./control_client.ts";
export { type ControlAnswerer, type ControlServer, serveControl } from "./control_server.ts";
export { credentialName, readCredential } from "./credential.ts";
export { type Machine, machine } from "./machine.ts";
export { type StopSignals, stopSignals } from "./process_signals.ts";
export { SystemClock } from "./system_clock.ts";
export { SystemEntropy } from "./system_entropy.ts";
export { notifySystemd } from "./systemd_notify.ts";
export { askSecret, type OutputStream, standardError, standardOutput } from "./terminal.ts";
export { DenoNetwork } from "./deno_network.ts";
export { DirectoryStorage, StorageError } from "./directory_storage.ts";
export { lookUpHost } from "./host_lookup.ts";
export { lockState, type StateLock } from "./state_lock.ts";
export { TlsDialer } from "./tls_dialer.ts";
export { ListenError, listenTls, type TlsListener } from "./tls_listener.ts";
