import t from 'tap';
import type { ProducerId } from '../../../src/core/ids.js';
import { clusterLatency, discountSec, Latency } from '../../../src/server/cluster/latency.js';

interface Given {
  readonly producer: string;
  /** From sealed to received, and from received to applied. */
  readonly lateMs: number;
  readonly queuedMs?: number;
  readonly events?: number;
}

/** Latency on a clock that moves when it is told. */
function bench() {
  const now = { ms: 1_700_000_000_000 };
  const latency = new Latency(() => now.ms);
  const apply = ({ producer, lateMs, queuedMs = 0, events = 1 }: Given): void => {
    latency.applied({
      producer: producer as ProducerId,
      sealedAtMs: now.ms - queuedMs - lateMs,
      atMs: now.ms - queuedMs,
      nowMs: now.ms,
      events,
    });
  };
  const rounds = (count: number, ...all: readonly Given[]): void => {
    for (let round = 0; round < count; round++) {
      now.ms += 250;
      for (const given of all) apply(given);
    }
  };
  return { now, latency, apply, rounds };
}

t.test('follows what is measured', async (t) => {
  const { latency, rounds } = bench();
  t.same(latency.measure(), { enqueueSec: 0, processedSec: 0 });
  rounds(1, { producer: 'p', lateMs: 200, queuedMs: 100 });
  t.same(latency.measure(), { enqueueSec: 0.2, processedSec: 0.3 }, 'from the first sample on');
  rounds(100, { producer: 'p', lateMs: 1000, queuedMs: 500 });
  const { enqueueSec, processedSec } = latency.measure();
  t.ok(
    Math.abs(enqueueSec - 1) < 0.01 && Math.abs(processedSec - 1.5) < 0.01,
    `${enqueueSec}, ${processedSec}`,
  );
});

t.test('one slow clock among several does not pull it', async (t) => {
  for (const others of [1, 2, 9]) {
    const { latency, rounds } = bench();
    const right = Array.from({ length: others }, (_, index) => ({ producer: `p${index}`, lateMs: 300 }));
    rounds(100, { producer: 'slow', lateMs: 9_000 }, ...right);
    t.ok(Math.abs(latency.measure().enqueueSec - 0.3) < 0.01, `beside ${others}`);
  }
});

t.test('who sends most of the events decides, not who sends most often', async (t) => {
  const { latency, rounds } = bench();
  rounds(
    100,
    { producer: 'agent', lateMs: 400, events: 1000 },
    { producer: 'own', lateMs: 0 },
    { producer: 'own2', lateMs: 0 },
  );
  t.ok(Math.abs(latency.measure().enqueueSec - 0.4) < 0.01);
});

t.test('fades while nothing comes, and forgets', async (t) => {
  const { now, latency, rounds } = bench();
  rounds(1, { producer: 'p', lateMs: 4_000 });
  now.ms += 10_000;
  t.ok(Math.abs(latency.measure().enqueueSec - 2) < 0.001, 'half of it after ten seconds');
  now.ms += 100_000;
  latency.measure();
  now.ms += 1_000;
  t.same(latency.measure(), { enqueueSec: 0, processedSec: 0 });
});

t.test('a clock that is fast, or wrong by hours, says nothing beyond its bounds', async (t) => {
  const { latency, rounds } = bench();
  rounds(1, { producer: 'fast', lateMs: -5_000 });
  t.equal(latency.measure().enqueueSec, 0);
  const hours = bench();
  hours.rounds(1, { producer: 'slow', lateMs: 3_600_000 });
  t.equal(hours.latency.measure().enqueueSec, 60);
});

t.test('more producers than are told apart cost no memory', async (t) => {
  const { latency, apply } = bench();
  for (let index = 0; index < 10_000; index++) apply({ producer: `p${index}`, lateMs: 100 });
  t.ok(Math.abs(latency.measure().enqueueSec - 0.1) < 1e-9);
});

t.test('the cluster is as late as its latest server; averages go by load', async (t) => {
  const report = clusterLatency([
    { enqueueSec: 0.1, processedSec: 0.2, load: 300 },
    { enqueueSec: 0.5, processedSec: 1, load: 100 },
    { enqueueSec: 0, processedSec: 0, load: 0 },
  ]);
  t.match(report, { enqueue_avg: 0.2, processed_avg: 0.4, cluster_aggregate: 1 });
  t.equal(discountSec(1), 1);
  t.equal(discountSec(11), 10, 'queries look back ten seconds at most');
  t.same(clusterLatency([]), { enqueue_avg: 0, processed_avg: 0, cluster_aggregate: 0 });
});
