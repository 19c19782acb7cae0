/**
 * What the stores of one simulated world have in common: each record once, and each node of their
 * trees once (hash-consing: a node is named by its record and its children). Thousands of stores that
 * hold the same then take the memory of one; what no store holds any more is collected.
 *
 * One per world: a memory shared between worlds would make a run depend on the runs before it.
 *
 * @module
 */
import { toHex } from "../../src/base/bytes.ts";
import type { HashKey } from "../../src/base/half_sip_hash.ts";
import type { RecordSharing, RecordTreeNode, VerifiedRecord } from "../../src/sync/mod.ts";

type Node = RecordTreeNode<VerifiedRecord>;

/** Values by name for as long as somebody holds them. */
class WeakTable<T extends object> {
  readonly #values = new Map<string, WeakRef<T>>();
  readonly #swept = new FinalizationRegistry<string>((name) => {
    // Another may have taken the name before the sweep came.
    if (this.#values.get(name)?.deref() === undefined) this.#values.delete(name);
  });

  get size(): number {
    return this.#values.size;
  }

  /** The value of that name: the one there is, else this one. */
  share(name: string, value: T): T {
    const known = this.#values.get(name)?.deref();
    if (known !== undefined) return known;
    this.#values.set(name, new WeakRef(value));
    this.#swept.register(value, name);
    return value;
  }
}

/** Records and tree nodes of one world. */
export class SharedRecords implements RecordSharing {
  readonly key: HashKey;
  readonly #records = new WeakTable<VerifiedRecord>();
  readonly #nodes = new WeakTable<Node>();
  /** Numbers by which nodes and records are named in the names of nodes. */
  readonly #numbers = new WeakMap<object, number>();
  #numbered = 0;
  readonly #rootsWith = new WeakMap<Node, WeakMap<VerifiedRecord, Node>>();

  /** @param key Shapes the trees; any will do, the same for the same run. */
  constructor(key: HashKey = [1, 2]) {
    this.key = key;
  }

  /** How many different records and nodes there are, about. */
  get sizes(): { readonly records: number; readonly nodes: number } {
    return { records: this.#records.size, nodes: this.#nodes.size };
  }

  record(record: VerifiedRecord): VerifiedRecord {
    if (this.#numbers.has(record)) return record;
    const shared = this.#records.share(toHex(record.hash), record);
    this.#number(shared);
    return shared;
  }

  share(node: Node): Node {
    const { entry, left, right } = node;
    const name = `${this.#number(entry)} ${left === undefined ? 0 : this.#number(left)} ${
      right === undefined ? 0 : this.#number(right)
    }`;
    return this.#nodes.share(name, node);
  }

  /** A change that all stores take in alike is worked out by the first of them. */
  rootWith(root: Node | undefined, entry: VerifiedRecord, make: () => Node): Node {
    if (root === undefined) return make();
    let known = this.#rootsWith.get(root);
    if (known === undefined) {
      known = new WeakMap();
      this.#rootsWith.set(root, known);
    }
    const next = known.get(entry) ?? make();
    known.set(entry, next);
    return next;
  }

  #number(named: object): number {
    const known = this.#numbers.get(named);
    if (known !== undefined) return known;
    this.#numbered += 1;
    this.#numbers.set(named, this.#numbered);
    return this.#numbered;
  }
}
