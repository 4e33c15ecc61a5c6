import type { RunningAgent } from '../agent/agent.js';
import { DenyLists } from '../intake/deny-lists.js';
import type { OtlpNaming } from '../intake/otlp/points.js';
import type { StatsdOptions } from '../intake/statsd/statsd-door.js';
import { boundYoungSpace } from '../runtime/young-generation.js';
import type { RunningServer } from '../server/server.js';
import type { Store } from '../storage/store.js';
import type { Ingredients } from './daemon.js';
import { mappingOf } from './mapping.js';
import { memoryBudget } from './memory.js';
import { redisOptions } from './redis-options.js';
import { version } from './version.js';

/** What differs between an agent of its own and the one of `taba up`. */
export interface AgentPlace {
  readonly port: number;
  readonly servers: readonly string[];
  readonly spool: string | undefined;
}

/** Starts an agent with the settings of this process. Each role is loaded when it is started: start-up time is felt. */
export async function agentFrom(ingredients: Ingredients, place: AgentPlace): Promise<RunningAgent> {
  const { settings, registry, limits, clock, log } = ingredients;
  const { startAgent } = await import('../agent/agent.js');
  return startAgent({
    host: settings.host,
    port: place.port,
    ...(settings.advertise !== undefined && { advertise: settings.advertise }),
    servers: [...place.servers],
    ...(place.spool !== undefined && { spoolFolder: place.spool }),
    spoolFsync: settings['spool-fsync'],
    spoolMaxAgeMs: settings['spool-max-age'],
    flushIntervalMs: settings['flush-interval'],
    clientId: settings['client-id'],
    ...(settings.mirror !== undefined && { mirror: [...settings.mirror] }),
    queuesPerServer: settings['queues-per-server'],
    registry,
    limits,
    denyLists: denyListsOf(ingredients),
    drainDeadlineMs: settings['drain-deadline'],
    selfInstrument: settings['self-instrument'],
    maxBufferedPairs: settings['max-buffered-pairs'],
    otlp: namingOf(ingredients),
    ...statsdOf(ingredients),
    clock,
    log: log.with({ role: 'agent' }),
    version,
  });
}

function namingOf({ settings, registry }: Ingredients): OtlpNaming {
  return {
    mapping: mappingOf(settings, registry),
    clientAttribute: settings['otlp-client'],
    resourceAttributes: new Set(settings['otlp-resource']),
  };
}

function statsdOf({ settings, registry }: Ingredients): { readonly statsd?: StatsdOptions } {
  const {
    'statsd-port': port,
    'statsd-socket': socket,
    'statsd-receive-buffer': receiveBufferBytes,
  } = settings;
  if (port === undefined && socket === undefined) return {};
  const mapping = mappingOf(settings, registry);
  const where = {
    ...(port === undefined ? {} : { port }),
    ...(socket === undefined ? {} : { socket }),
  };
  return { statsd: { ...where, receiveBufferBytes, mapping } };
}

/**
 * Opens the store and starts a server on it; closing the server closes the store as well.
 *
 * @param takesStatsd whether StatsD comes in here, where the settings say that it comes in
 */
export async function serverFrom(ingredients: Ingredients, takesStatsd = true): Promise<RunningServer> {
  const { settings, registry, limits, clock, log } = ingredients;
  // First of all: it cannot be taken back what it has grown to.
  boundYoungSpace();
  const { startServer } = await import('../server/server.js');
  const store = await openStore(ingredients);
  try {
    return await startServer({
      host: settings.host,
      port: settings.port,
      ...(settings.advertise !== undefined && { advertise: settings.advertise }),
      roles: [...settings.role],
      weight: settings.weight,
      heartbeatMs: settings['heartbeat-interval'],
      leaseMs: settings.lease,
      store,
      bucketCount: settings.buckets,
      clientId: settings['client-id'],
      otlp: namingOf(ingredients),
      ...(takesStatsd && statsdOf(ingredients)),
      registry,
      limits,
      denyLists: denyListsOf(ingredients),
      checkpointIntervalMs: settings['checkpoint-interval'],
      pruneClientSec: settings['prune-client'] / 1000,
      pruneTabSec: settings['prune-tab'] / 1000,
      memory: memoryBudget(settings, log),
      selfInstrument: settings['self-instrument'],
      drainDeadlineMs: settings['drain-deadline'],
      clock,
      log: log.with({ role: 'server' }),
      version,
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openStore({ settings, clock, log }: Ingredients): Promise<Store> {
  const bucketCount = settings.buckets;
  if (settings.store === 'memory') {
    const { openMemoryStore } = await import('../storage/memory/memory-store.js');
    log.warn('store_keeps_nothing', { store: 'memory', hint: 'everything is gone when this process ends' });
    return openMemoryStore({ bucketCount });
  }
  if (settings.store === 'redis') {
    const { openRedisStore } = await import('../storage/redis/redis-store.js');
    return openRedisStore(redisOptions(settings, { clock, log: log.with({ store: 'redis' }) }));
  }
  const { openEmbeddedStore } = await import('../storage/embedded/embedded-store.js');
  return openEmbeddedStore({ folder: settings.data, bucketCount, log });
}

function denyListsOf({ settings, limits }: Ingredients): DenyLists {
  return new DenyLists({
    names: settings['name-denylist'] ?? [],
    clients: settings['client-denylist'] ?? [],
    maxExpressionBytes: limits.maxExpressionBytes,
  });
}
