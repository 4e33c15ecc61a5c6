import { Cluster } from '../../src/agent/cluster.js';
import type { ClusterOptions } from '../../src/agent/cluster-options.js';
import type { ClientId, TabName, TabType } from '../../src/core/ids.js';
import { defaultLimits } from '../../src/core/limits.js';
import { PartMap } from '../../src/core/parts.js';
import { totalOf } from '../../src/intake/counts.js';
import { Backoff } from '../../src/runtime/backoff.js';
import { encodeParts } from '../../src/wire/parts.js';
import type { FakeClock } from '../support/fake-clock.js';
import { type FakeServers, handlers } from './fake-servers.js';
import { RecordingLog } from './recording-log.js';

let ids = 0;

export interface Bench {
  readonly cluster: Cluster;
  readonly log: RecordingLog;
  /** Lets the cluster accept one event of value 1 for each tab. */
  accept(...tabs: string[]): void;
}

/** A Cluster on a test's clock and servers, started. */
export async function bench(
  clock: FakeClock,
  servers: FakeServers,
  options: Partial<ClusterOptions> = {},
): Promise<Bench> {
  const log = new RecordingLog();
  const cluster = new Cluster({
    servers: [...servers.behaviour.keys()].map((url) => url.replace('ws:', 'http:').replace('/v2', '')),
    spool: undefined,
    registry: handlers,
    limits: defaultLimits,
    bucketCount: undefined,
    clientId: 'host',
    instance: 'a'.repeat(32),
    flushIntervalMs: 250,
    maxBlockAgeMs: 5 * 86_400_000,
    lanesPerEndPoint: 1,
    answerTimeoutMs: 10_000,
    dnsRefreshMs: 30_000,
    connect: servers.connect,
    backoff: () => new Backoff({ firstMs: 100, maxMs: 5000, random: () => 0.5 }),
    newId: () => (++ids).toString(16).padStart(32, '0'),
    resolve: async (host) => [host],
    sessions: () => [],
    clock,
    log,
    ...options,
  });
  await cluster.start();
  return {
    cluster,
    log,
    accept: (...tabs) => {
      const parts = new PartMap(handlers);
      for (const tab of tabs) {
        const meta = { timestampSec: clock.nowMs() / 1000, sequence: 0 };
        parts.fold(tab as TabName, 'CounterGroup' as TabType, 'c' as ClientId, 1, meta);
      }
      cluster.accept(parts, () => encodeParts(parts, handlers));
    },
  };
}

/** received = buffered + delivered + rejected + dropped. */
export function imbalance(cluster: Cluster): number {
  const { received, buffered, delivered, rejected, dropped } = cluster.account();
  return received - buffered - delivered - totalOf(rejected) - totalOf(dropped);
}
