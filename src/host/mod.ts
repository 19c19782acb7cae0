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
export { openScratch, type ScratchPlace } from "./scratch_directory.ts";
export { type StopSignals, stopSignals } from "./process_signals.ts";
export { nextTurn, SystemClock } from "./system_clock.ts";
export { SystemEntropy } from "./system_entropy.ts";
export { notifySystemd } from "./systemd_notify.ts";
export { askSecret, type OutputStream, standardError, standardOutput } from "./terminal.ts";
export { DenoNetwork, isAddressTaken } from "./deno_network.ts";
export {
  DirectoryStorage,
  type DirectoryStorageOptions,
  type FileFacts,
} from "./directory_storage.ts";
export { StorageError, type StorageErrorCode } from "./storage_error.ts";
export { followInterfaces } from "./interfaces.ts";
export { isNetworkError, surviveNetworkErrors } from "./last_resort.ts";
export { listenToSignals, type SignalHandlers } from "./signals.ts";
export { lookUpHost } from "./host_lookup.ts";
export { lockState, type StateLock, type StateLockTaken } from "./state_lock.ts";
export { type TlsCredentials } from "./tls_credentials.ts";
export { TlsDialer, type TlsDialerOptions } from "./tls_dialer.ts";
export { ListenError, listenTls, type ListenTlsOptions, type TlsListener } from "./tls_listener.ts";
