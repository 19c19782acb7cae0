/**
 * What the command line needs of the world around it. `main.ts` fills it from `host/` and `node/`;
 * tests fill it with what they want to see.
 *
 * @module
 */
import type { Clock } from "../platform/clock.ts";
import type { NodeControl, ServedControl } from "../control/mod.ts";
import type { PassphraseSource, RunningNode, RunOptions, StartProblem } from "../node/mod.ts";
import type { SelfTestOptions, SelfTestReport } from "../selftest/mod.ts";

/** One of the two output streams. */
export interface TextSink {
  /** Writes all of it; `false` once nobody reads any more. Never throws. */
  write(text: string): boolean;
  readonly isTerminal: boolean;
}

/** The identity of a state directory, as far as it may be shown. */
export interface IdentityView {
  readonly id: string;
  /** Raw Ed25519 key, 64 hexadecimal characters. */
  readonly publicKey: string;
  /** Absolute path of the key file. */
  readonly path: string;
  /** How the key lies on the disk. */
  readonly protection: "plain" | "passphrase" | "credential" | "host";
}

/** Why there is no identity to show. */
export interface IdentityTrouble {
  /** A fixed word; `locked` = a secret is needed that was not given. */
  readonly trouble: "missing" | "locked" | "failed";
  readonly message: string;
}

/** Why no node could be asked. */
export interface Unreachable {
  readonly unreachable: "no-node" | "denied";
  readonly detail: string;
}

/** A control socket that answers. */
export interface OpenControl {
  close(): Promise<void>;
}

/** The signals of the process. */
export interface ProcessSignals {
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
  /** Aborts at the second: somebody is impatient. */
  readonly stopNow: AbortSignal;
  /** Called at every SIGHUP. */
  onReload(listener: () => void): void;
}

/** What the command line needs of the world around it. */
export interface Surroundings {
  /** Words of the command line, without the program's. */
  readonly args: readonly string[];
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly clock: Clock;
  /** `linux`, `darwin`, `windows`, … */
  readonly os: string;
  /** Whether the user is root. */
  readonly isRoot: boolean;
  /** What relative paths are relative to: where the person stands. */
  readonly workingDirectory: string;
  /** The target triple that this program was built for. */
  readonly target: string;
  /** The runtime and its version: `deno 2.9.4`. */
  readonly runtime: string;
  /** A variable of the environment. */
  environment(name: string): string | undefined;
  /** Text of a file; rejects with the system's error. */
  readText(path: string): Promise<string>;
  /** Asks on the terminal without showing the answer; `undefined` without a terminal. */
  askSecret(question: string): string | undefined;
  /** Starts to listen to the signals. */
  signals(): ProcessSignals;
  /** Tells the service manager, if there is one. Resolves to why it did not work. */
  notify(state: string): Promise<string | undefined>;
  /** Reaches the node that runs on the state directory. */
  connect(stateDirectory: string): Promise<NodeControl & { close(): void } | Unreachable>;
  /** Offers the control of a node that this process runs; it holds the lock. */
  serve(stateDirectory: string, control: ServedControl): Promise<OpenControl>;
  start(options: RunOptions): Promise<RunningNode | StartProblem>;
  openIdentity(
    stateDirectory: string,
    options: { readonly create: boolean; readonly passphrase: PassphraseSource },
  ): Promise<IdentityView | IdentityTrouble>;
  selfTest(options: SelfTestOptions): Promise<SelfTestReport>;
}
