import { NumberColumns } from '../../../src/core/gather/number-columns.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { BucketIndex, ClientId, ProducerId, TabName, TabType } from '../../../src/core/ids.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { PartMap } from '../../../src/core/parts.js';
import { Producer } from '../../../src/core/producer/producer.js';
import { decodePart, encodeParts, readParts } from '../../../src/wire/parts.js';
import type { Stages } from './stages.js';

const client = 'web-1' as ClientId;
const bucketCount = 1000;
const eventsPerPart = 50;
const nowSec = 1_700_000_000;

/**
 * What becomes of a Part from the columns of an agent to the States of a server: one flush of `tabs` tabs, again and again, a second
 * later each time.
 */
export function partPath(type: string, tabs: number): Stages {
  const registry = builtinHandlers();
  const names = Array.from({ length: tabs }, (_, tab) => `bench.requests.${tab}` as TabName);
  const columns = new NumberColumns();
  const states = new PartMap(registry);
  const producer = new Producer({
    ...{ id: '0'.repeat(32) as ProducerId, birthMs: 0, registry, bucketCount, limits: defaultLimits },
    encode: (parts) => encodeParts(parts, registry),
    newId: () => '1'.repeat(32) as ProducerId,
  });
  let parts = new PartMap(registry);
  let payloads: Uint8Array[] = [];
  let decoded: { tab: TabName; state: unknown; events: number }[] = [];
  let round = 0;
  return {
    per: 'Part',
    items: tabs,
    stages: {
      'add events to columns': () => {
        for (let event = 0; event < eventsPerPart; event++) {
          for (let tab = 0; tab < tabs; tab++) columns.add(tab, 1 + ((tab * 7 + event) % 20), 1);
        }
      },
      'fold columns into Parts': () => {
        parts = new PartMap(registry);
        columns.drain((row, gathered) =>
          parts.foldGathered(names[row]!, type as TabType, client, gathered, {
            timestampSec: nowSec + round,
            sequence: round,
          }),
        );
      },
      'spread them over buckets': () => {
        producer.add(parts);
      },
      'seal Blocks': () => {
        payloads = [];
        for (const bucket of [...producer.readyBuckets()]) {
          const { payload, seq, producer: id } = producer.seal(bucket, round)!;
          payloads.push(payload);
          const answer = { kind: 'acknowledged', repeat: false, rejected: [] } as const;
          producer.take({ bucket: bucket as BucketIndex, producer: id, seq, answer }, round);
        }
      },
      'read and decode them': () => {
        decoded = [];
        for (const payload of payloads) {
          for (const record of readParts(payload)) {
            decoded.push({ tab: record.tab, state: decodePart(record, registry), events: record.events });
          }
        }
      },
      'merge into States': () => {
        for (const { tab, state, events } of decoded)
          states.reduce(tab, type as TabType, client, state, events);
        round++;
      },
    },
  };
}
