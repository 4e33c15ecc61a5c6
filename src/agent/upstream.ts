import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PartMap } from '../core/parts.js';
import { Backoff } from '../runtime/backoff.js';
import type { Log } from '../runtime/log.js';
import { connectFrames } from '../transport/outbound/frame-client.js';
import { encodeParts } from '../wire/parts.js';
import { Cluster } from './cluster.js';
import type { ClusterOptions } from './cluster-options.js';
import type { AgentOptions } from './options.js';
import { Spool } from './spool/spool.js';

/** A random id: 32 lower-case hex digits. */
export function newId(): string {
  return randomBytes(16).toString('hex');
}

/** @returns undefined where the agent has no spool folder */
export function openSpool(options: AgentOptions, log: Log, subfolder = ''): Spool | undefined {
  if (options.spoolFolder === undefined) return undefined;
  const folder = join(options.spoolFolder, subfolder);
  mkdirSync(folder, { recursive: true });
  const { registry, clock, seams } = options;
  return new Spool({
    folder,
    registry,
    encode: (parts: PartMap) => encodeParts(parts, registry),
    newInstance: newId,
    fsync: options.spoolFsync ?? false,
    clock,
    log,
    ...(seams?.disk === undefined ? {} : { disk: seams.disk }),
  });
}

export function makeCluster(
  options: AgentOptions,
  own: Pick<
    ClusterOptions,
    'servers' | 'spool' | 'instance' | 'sessions' | 'gauges' | 'bodies' | 'beforeFlush' | 'log'
  > & {
    readonly bucketCount: number | undefined;
  },
): Cluster {
  const { registry, limits, clientId, clock, seams } = options;
  const connect: ClusterOptions['connect'] =
    seams?.connect ??
    (({ url, address }, events) =>
      connectFrames(
        {
          url,
          address,
          maxFrameBytes: limits.maxFrameBytes,
          maxBufferedBytes: limits.maxFrameBytes * 4,
          clock,
        },
        events,
      ));
  return new Cluster({
    ...own,
    registry,
    limits,
    clientId,
    flushIntervalMs: options.flushIntervalMs,
    maxBlockAgeMs: options.spoolMaxAgeMs,
    lanesPerEndPoint: options.queuesPerServer ?? 1,
    answerTimeoutMs: options.answerTimeoutMs ?? 10_000,
    dnsRefreshMs: options.dnsRefreshMs ?? 30_000,
    connect,
    backoff: () => new Backoff({ firstMs: 100, maxMs: 5000 }),
    newId,
    clock,
    ...(seams?.resolve === undefined ? {} : { resolve: seams.resolve }),
  });
}
