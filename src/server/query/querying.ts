import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { Clock } from '../../runtime/clock.js';
import type { Store } from '../../storage/store.js';
import type { Route } from '../../transport/inbound/http.js';
import type { Peers, Questions } from '../cluster/peers.js';
import { tabMetricsRoute } from '../metrics/tab-metrics-route.js';
import type { Owners } from '../reduce/owners.js';
import { adminRoutes } from './admin-routes.js';
import { Everywhere } from './everywhere.js';
import { Gather } from './gather.js';
import { Holder } from './holder.js';
import { queryRoutes } from './query-routes.js';
import { queryQuestions } from './questions.js';
import { Scatter } from './scatter.js';

export interface QueryingOptions {
  readonly owners: Owners;
  readonly peers: Peers;
  readonly store: Pick<Store, 'examine'>;
  readonly registry: HandlerRegistry;
  readonly limits: Pick<Limits, 'maxResultBytes' | 'maxExpressionBytes'>;
  readonly clock: Clock;
  /** For how long buckets that nobody serves are asked for again, see `Scatter`. */
  readonly patienceMs?: number;
  /** The present for which queries answer, seconds UTC. */
  presentSec(): number;
  /** Discards what waits here of the buckets, or of all, and counts it as dropped. @returns events */
  discardPending(buckets: readonly BucketIndex[] | undefined): number;
}

/** Queries and administration over the whole cluster: what people may ask of this server, and what other servers may. */
export interface Querying {
  readonly routes: readonly Route[];
  readonly questions: Questions;
}

export function querying(options: QueryingOptions): Querying {
  const { owners, registry, limits } = options;
  const { reading, administration, bucketCount } = owners;
  const scatter = new Scatter(options);
  const holder = new Holder({ ...options, reading, maxExpressionBytes: limits.maxExpressionBytes });
  const gather = new Gather({ ...options, bucketCount, holder, scatter });
  const everywhere = new Everywhere({ ...options, bucketCount, administration, scatter });
  return {
    routes: [
      ...queryRoutes({ ...options, gather }),
      tabMetricsRoute({ ...options, gather }),
      ...adminRoutes({ ...options, everywhere, gather, bucketCount }),
    ],
    questions: queryQuestions({ ...options, holder, administration, registry }),
  };
}
