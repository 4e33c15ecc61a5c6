import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { ClientId } from '../../../src/core/ids.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { noDenyLists } from '../../../src/intake/deny-lists.js';
import { Mapping } from '../../../src/intake/mapping/mapping.js';
import { stage } from '../../../src/intake/stage.js';
import { StatsdIntake } from '../../../src/intake/statsd/statsd-intake.js';
import { parseJsonEvents } from '../../../src/wire/json-events.js';
import { encodeV1, parseV1 } from '../../../src/wire/v1.js';
import { roundOf } from '../statsd/traffic.js';
import type { Stages } from './stages.js';

const nowMs = 1_700_000_000_000;
const nowSec = nowMs / 1000;

/** Events on their way into a node, from bytes to Parts: ten of each of `tabs` tabs. */
export function receivers(tabs: number): Stages {
  const registry = builtinHandlers();
  const events = Array.from({ length: tabs * 10 }, (_, event) => ({
    tab: `bench.requests.${event % tabs}`,
    type: 'CounterGroup',
    client: 'web-1',
    timestampSec: nowSec - (event % 7) / 4,
    payload: 1 + (event % 20) / 8,
  }));
  const v1 = encodeV1(events);
  const json = new TextEncoder().encode(
    events
      .map(({ tab, client, timestampSec, payload }) =>
        JSON.stringify({ name: tab, value: payload, client, timestamp: timestampSec }),
      )
      .join('\n'),
  );
  const { packets } = roundOf({
    ...{ transport: 'udp', kind: 'c', names: tabs, single: false, rounds: 10, eventsPerSec: 0 },
  });
  let sequence = 0;
  const context = {
    ...{ registry, limits: defaultLimits, nowMs, defaultClient: 'web-1' as ClientId, deny: noDenyLists },
    typeOf: () => undefined,
    admits: () => undefined,
    nextSequence: () => sequence++,
  };
  const ignored = (): void => {};
  const statsd = new StatsdIntake({
    ...{ registry, limits: defaultLimits, client: 'web-1' as ClientId, deny: noDenyLists },
    ...{ mapping: new Mapping([]), maxPairs: 1e6, clock: { nowMs: () => nowMs }, gauges: [] },
    books: { receive: ignored, reject: ignored, drop: ignored, clamp: ignored, sample: ignored },
    nextSequence: context.nextSequence,
    handOver: ignored,
  });
  const peer = { address: '127.0.0.1', port: 0 };
  return {
    per: 'event',
    items: events.length,
    stages: {
      'text v1: parse and fold': () => void stage((sink) => parseV1(v1, sink), context),
      'JSON: parse and fold': () => void stage((sink) => parseJsonEvents(json, sink), context),
      'StatsD: scan into columns': () => {
        for (let round = 0; round < 10; round++) {
          for (const packet of packets) statsd.take(packet, 0, packet.length, peer, true);
        }
      },
      'StatsD: columns into Parts': () => statsd.handOver(),
    },
  };
}
