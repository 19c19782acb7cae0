/**
 * One round of suspicion: quick UDP tries one after the other while a TCP authentication runs beside
 * them and others are asked to ask. PROTOCOL §8.5. It only keeps count; what its end means is the link's to say.
 *
 * @module
 */
import { type Duration, earliest, type Instant, later, milliseconds } from "../base/instant.ts";
import { authenticationWait, refusalMissesMin, tryInterval } from "./limits.ts";

/** How the authentication of a round ended. */
export type RoundAuthentication = "finished" | "failed" | "refused where proven";

/** What a round has shown: the node is gone, nothing answers, or it answers on other paths only. */
export type RoundVerdict = "refused" | "silent" | "tcp only" | "others only";

/** A round under way. An answer on UDP ends it from outside. */
export class SuspicionRound {
  #tries = 0;
  readonly #triesMax: number;
  readonly #triesAlone: number;
  #misses: number;
  /** Between two tries. */
  readonly #pace: Duration;
  /** When the next try is due; after the last one, when waiting for answers ends. */
  #nextTry: Instant;
  #triesOver = false;
  readonly #slowness: number;
  #authentication: RoundAuthentication | "not begun" | "running" = "not begun";
  /** Means something while it runs. */
  #authenticationDeadline: Instant;
  #isRelayed = false;

  /**
   * @param tries How many may stay unanswered, and how many are made before anything else is.
   * @param misses How many probes are unanswered already.
   * @param self How many times the usual this node gives others because it doubts itself, and what
   * it allows beyond that because it runs late: tries are spread over it.
   */
  constructor(
    tries: { readonly most: number; readonly alone: number },
    misses: number,
    { slowness, beyond }: { readonly slowness: number; readonly beyond: Duration },
    now: Instant,
  ) {
    this.#triesMax = tries.most;
    this.#triesAlone = tries.alone;
    this.#misses = misses;
    this.#nextTry = now;
    this.#pace = milliseconds(tryInterval * slowness + beyond / tries.most);
    this.#slowness = slowness;
    this.#authenticationDeadline = now;
  }

  /** Whether tries are still made alone. */
  get triesAlone(): boolean {
    return this.#tries < this.#triesAlone;
  }

  /** Whether all tries were made and the last one has had its time. */
  get triesOver(): boolean {
    return this.#triesOver;
  }

  /**
   * The authentication begins, and others are asked; `false` if that was so before.
   *
   * @param patience How long an answer may take on this link.
   */
  beginAuthentication(patience: Duration, now: Instant): boolean {
    if (this.#authentication !== "not begun") return false;
    this.#authentication = "running";
    const wait = this.#slowness * authenticationWait + 2 * patience;
    this.#authenticationDeadline = later(now, milliseconds(wait));
    return true;
  }

  /** Whether an authentication was finished. */
  get isAuthenticated(): boolean {
    return this.#authentication === "finished";
  }

  /** Whether the authentication has not ended yet. */
  get isAuthenticating(): boolean {
    return this.#authentication === "running";
  }

  /**
   * The peer's machine took the connection: it lives, and its process may be busy or stopped for a
   * moment. That is no answer, but a reason to wait for one as long as `wait`.
   */
  handleConnected(wait: Duration, now: Instant): void {
    if (this.#authentication === "running") this.#authenticationDeadline = later(now, wait);
  }

  /** The peer answered through somebody else: it lives, whatever is between it and this node. */
  handleRelayed(): void {
    this.#isRelayed = true;
  }

  /** The authentication ended. */
  handleAuthentication(end: RoundAuthentication): void {
    this.#authentication = end;
  }

  /**
   * Does what is due; says whether a probe is to be sent.
   *
   * @param misses How many more probes are unanswered.
   * @param patience How long the last try waits for its answer.
   */
  handleTimeout(misses: number, patience: Duration, now: Instant): boolean {
    this.#misses += misses;
    if (this.#authentication === "running" && this.#authenticationDeadline <= now) {
      this.#authentication = "failed";
    }
    if (this.#triesOver || this.#nextTry > now) return false;
    if (this.#tries >= this.#triesMax) {
      this.#triesOver = true;
      return false;
    }
    this.#tries += 1;
    this.#nextTry = later(now, this.#tries < this.#triesMax ? this.#pace : patience);
    return true;
  }

  /** What the round has shown, once it has. */
  verdict(): RoundVerdict | undefined {
    const isRefused = this.#authentication === "refused where proven" && !this.#isRelayed;
    if (isRefused && this.#misses >= refusalMissesMin) return "refused";
    const isOpen = this.#authentication === "not begun" || this.#authentication === "running";
    if (!this.#triesOver || isOpen) return undefined;
    if (this.#authentication === "finished") return "tcp only";
    return this.#isRelayed ? "others only" : "silent";
  }

  /** This node did not run for `gap`: the tries that fell into it are made again. */
  forgive(tries: number, gap: Duration): void {
    this.#tries = Math.max(0, this.#tries - tries);
    this.#authenticationDeadline = later(this.#authenticationDeadline, gap);
  }

  /** When `handleTimeout` is to be called next. */
  nextTimeout(): Instant | undefined {
    return earliest(
      this.#triesOver ? undefined : this.#nextTry,
      this.#authentication === "running" ? this.#authenticationDeadline : undefined,
    );
  }
}
