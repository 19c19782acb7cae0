/**
 * How far this node trusts its own impression that others are silent. After Lifeguard's local health
 * (Dadgar, Phillips and Currie, 2018): whoever runs late, or hears nothing from several at once, is
 * more likely the one that is slow or cut off, and gives everybody more time.
 *
 * It stretches patience and never ends it: a node that is slow for ever still notices a death.
 *
 * @module
 */
import type { Duration, Instant } from "../base/instant.ts";
import { type Allowance, noAllowance, patience, runsLate } from "./allowance.ts";
import type { NodeId } from "../wire/node_id.ts";
import { selfDoubtMax } from "./limits.ts";

/** One for all links of a node. */
export class SelfTrust {
  readonly #allowance: Allowance;
  #doubt = 0;
  /** Links that missed a probe since any link last answered one. */
  readonly #silent = new Set<NodeId>();

  /** @param allowance Nothing where nobody measures how late this process runs. */
  constructor(allowance: Allowance = noAllowance) {
    this.#allowance = allowance;
  }

  /** What is waited beyond the usual for this process runs late. */
  allowance(now: Instant): Duration {
    return this.#allowance(now);
  }

  /** How long to wait, where `usual` is enough as long as nobody is slow. */
  patience(usual: Duration, now: Instant): Duration {
    return patience(usual, this.#allowance, now);
  }

  /** Whether this process runs so late that what costs both ends work had better wait. */
  isLate(now: Instant): boolean {
    return runsLate(this.#allowance, now);
  }

  /** By what patience is multiplied: 1, and up to `1 + selfDoubtMax`. */
  get patienceFactor(): number {
    return 1 + this.#doubt;
  }

  /** This node ran later than it asked to. */
  handleLate(): void {
    this.#add();
  }

  /** A link's regular probe was missed. The second such link in a row makes us doubt ourselves. */
  handleMiss(id: NodeId): void {
    this.#silent.add(id);
    if (this.#silent.size > 1) this.#add();
  }

  /** A link answered: datagrams pass, and we are there to take them. */
  handleAnswer(): void {
    this.#silent.clear();
    this.#doubt = Math.max(0, this.#doubt - 1);
  }

  #add(): void {
    this.#doubt = Math.min(selfDoubtMax, this.#doubt + 1);
  }
}
