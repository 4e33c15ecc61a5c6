import { TabaError } from '../../core/errors.js';
import { checkClientId } from '../../core/names.js';
import type { PartMap } from '../../core/parts.js';
import type { Samples } from '../../intake/samples.js';
import { StatsdDoor, safeWithinMs } from '../../intake/statsd/statsd-door.js';
import { openLinePort } from '../../transport/inbound/line-port.js';
import type { ServerOptions } from '../options.js';
import type { OwnProducer } from './own-producer.js';
import type { RawDoor } from './raw-door.js';

export interface StatsdContext {
  readonly door: RawDoor;
  readonly producer: OwnProducer;
  readonly samples: Samples;
  /** (tab, client) pairs that may wait for their owners, and as many for room among these. */
  readonly maxPairs: number;
  /** Why nothing is taken at the moment, or undefined. */
  refuses(): TabaError | undefined;
}

/** StatsD into a server, which is the producer of what comes in. It has no spool: gauges begin at 0 again with the process. */
export function statsdDoor(options: ServerOptions, context: StatsdContext): StatsdDoor | undefined {
  const { statsd, host, registry, limits, denyLists: deny, clock, log } = options;
  if (statsd === undefined) return undefined;
  const { door, producer, samples, maxPairs, refuses } = context;
  const client = checkClientId(options.clientId);
  const handOver = (parts: PartMap): void => {
    const refusal = refuses();
    if (refusal !== undefined) throw refusal;
    if (producer.pairs > 0 && producer.pairs + parts.pairs > maxPairs) {
      throw new TabaError('overloaded', 'no room at the moment: owners to catch up');
    }
    // What an owner refuses is in the books of the producer.
    void producer.deliver(parts);
  };
  const statsdOptions = { statsd, host, registry, limits, client, deny, maxPairs, clock, log, samples };
  return new StatsdDoor({
    ...statsdOptions,
    counters: door.single,
    gauges: [],
    open: openLinePort,
    handOverMs: safeWithinMs,
    nextSequence: () => door.nextSequence(),
    handOver,
  });
}
