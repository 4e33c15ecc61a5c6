import { TabaError } from '../core/errors.js';
import type { PartMap } from '../core/parts.js';
import type { Cluster } from './cluster.js';
import type { Spool } from './spool/spool.js';
import { booksOf, type ClusterStatus, clusterStatus } from './status.js';

/**
 * A copy of everything that was accepted, to a second cluster. What it has no room for, or its disk does not take, is
 * dropped from the copy alone, and counted: the first cluster must not notice that there is a second.
 */
export class Mirror {
  readonly cluster: Cluster;
  readonly #spool: Spool | undefined;
  readonly #maxPairs: number;
  #received: number;
  readonly #skipped = { mirror_full: 0, mirror_failed: 0 };

  constructor(cluster: Cluster, spool: Spool | undefined, maxPairs: number) {
    this.cluster = cluster;
    this.#spool = spool;
    this.#maxPairs = maxPairs;
    this.#received = cluster.account().received;
  }

  /** Takes Parts over. Never throws for anything that the first cluster could do without. */
  addOrDrop(parts: PartMap, encoded: () => Uint8Array): void {
    this.#received += parts.events;
    if (this.cluster.pairs + parts.pairs > this.#maxPairs) {
      this.#skipped.mirror_full += parts.events;
      return;
    }
    try {
      this.cluster.accept(parts, encoded);
    } catch (error) {
      if (!(error instanceof TabaError)) throw error;
      this.#skipped.mirror_failed += parts.events;
    }
  }

  status(): ClusterStatus {
    const account = this.cluster.account();
    const skipped = Object.fromEntries(Object.entries(this.#skipped).filter(([, events]) => events > 0));
    const dropped = { ...account.dropped, ...skipped };
    return clusterStatus(
      this.cluster,
      booksOf(this.#received, {}, { ...account, dropped }),
      this.#spool?.stats(),
    );
  }
}
