import type { TabName } from '../../src/core/ids.js';
import type { Cluster } from './cluster.js';
import { bitsOf, countOf, tabs } from './payload.js';
import { mayLoseStored } from './profile.js';
import { leaseMs, type ServerProcess } from './server-process.js';
import type { SimNode } from './world.js';

/** Somebody who asks servers for tabs, whatever goes on, and looks closely at what they answer. */
export class SimReader {
  readonly #cluster: Cluster;
  readonly #open = new Set<{ readonly node: SimNode; readonly life: number }>();
  /** What was wrong with the first answer that was wrong. */
  fault = '';

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get idle(): boolean {
    // A process that died answers nobody.
    return [...this.#open].every(({ node, life }) => node.life !== life);
  }

  ask(): void {
    const { world, servers } = this.#cluster;
    const server = servers[world.below(servers.length)]!;
    const tab = tabs[world.below(tabs.length)]!;
    const { process } = server;
    if (process === undefined) return;
    const asked = { node: server.node, life: server.node.life };
    const sinceMs = this.#cluster.world.nowMs;
    this.#open.add(asked);
    void this.#ask(process, tab).then((fault) => {
      this.#open.delete(asked);
      if (fault === '') return;
      world.log(() => `${server.address}, asked at ${sinceMs.toFixed(1)} ms, answers for ${tab}: ${fault}`);
      if (this.fault === '') this.fault = `${server.address} answers for ${tab}: ${fault}`;
    });
  }

  /** @returns what is wrong; '' when all is well */
  async #ask(process: ServerProcess, tab: TabName): Promise<string> {
    const { ledger, profile, store, world } = this.#cluster;
    const due = ledger.visible(tab);
    // Heartbeats are not waited for: around a fail-over of the shard that keeps them, somebody may be replaced and not know
    // it for a lease. What was answered then may be old; it is true nonetheless.
    const settled = store.shards[0]!.wasSettledSince(world.nowMs - 3 * leaseMs);
    let state: unknown;
    try {
      state = await process.query(tab);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'unavailable') return '';
      if (code !== 'unknown_tab') return String(error);
    }
    if (mayLoseStored(profile.store)) return '';
    const { count, total } = state === undefined ? { count: 0, total: 0 } : countOf(state);
    const bits = bitsOf(total);
    if (bits.length !== count) return `${count} counted, but the sum is that of bits ${bits}`;
    const shown = new Set(bits);
    const stillDue = new Set(ledger.visible(tab));
    const hidden = due.filter((bit) => !shown.has(bit) && stillDue.has(bit));
    if (hidden.length > 0 && settled) return `events ${hidden} were acknowledged before, and are not shown`;
    ledger.shown(tab, bits);
    return '';
  }
}
