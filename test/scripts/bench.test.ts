/** The parts of the benchmarks that their figures rest on. */
import t from 'tap';
import { reportOf as reportOfLoads } from '../../scripts/bench/load/report.js';
import { reportOf as reportOfParts } from '../../scripts/bench/parts/report.js';
import { bucketsOf, expectedOf, roundOf as roundOfParts } from '../../scripts/bench/parts/traffic.js';
import { type Result, reportOf } from '../../scripts/bench/report/results.js';
import { asMarkdown, asText } from '../../scripts/bench/report/table.js';
import { nameOf, roundOf, type Traffic, totalOf } from '../../scripts/bench/statsd/traffic.js';
import { usageOf } from '../../scripts/bench/usage.js';
import { bucketOf } from '../../src/core/buckets.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { ClientId } from '../../src/core/ids.js';
import { PartMap } from '../../src/core/parts.js';
import { decodePart, readParts } from '../../src/wire/parts.js';

const traffic: Traffic = {
  ...{ transport: 'udp', kind: 'ms', names: 1000, single: false, rounds: 3, eventsPerSec: 0 },
};

t.test('a round sends every name once, in full packets or one by one', (t) => {
  for (const single of [false, true]) {
    const { packets, events } = roundOf({ ...traffic, single });
    t.ok(packets.every(({ length }) => length <= 1432));
    t.equal(packets.length, single ? 1000 : packets.length);
    t.equal(single || packets.length < 25, true, `${packets.length} packets`);
    const lines = packets.flatMap((packet) => packet.toString().split('\n'));
    t.same(
      packets.map((packet) => packet.toString().split('\n').length),
      events,
    );
    t.same(
      lines.sort(),
      Array.from({ length: 1000 }, (_, index) => `${nameOf(index)}:${totalOf(traffic, index) / 3}|ms`).sort(),
    );
  }
  t.end();
});

t.test('over TCP every line ends', (t) => {
  const { packets } = roundOf({ ...traffic, transport: 'tcp', names: 7 });
  t.equal(Buffer.concat(packets).toString().split('\n').length, 8);
  t.end();
});

t.test('what a process uses is what it says of itself', async (t) => {
  const endMs = performance.now() + 200;
  while (performance.now() < endMs);
  const ownCpuSec = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const before = ownCpuSec();
  const { cpuSec, bytes, peakBytes } = await usageOf(process.pid);
  const after = ownCpuSec();
  // The kernel tells user and system time in hundredths of a second.
  t.ok(cpuSec >= before - 0.02 && cpuSec <= after + 0.02, `${before} to ${after}: ${cpuSec} s`);
  t.ok(bytes > 10e6 && bytes <= peakBytes, `${bytes} of at most ${peakBytes}`);
  await t.rejects(usageOf(2 ** 30));
});

const result = (program: string, changes: Partial<Result>): Result => ({
  ...{ load: 'all', program, sent: 1000, shown: 1000, exact: true, seconds: 2, calibrationNs: 250 },
  used: { agent: { cpuSec: 0.001, bytes: 4e6, peakBytes: 5e6 } },
  ...changes,
});

t.test('peers are compared with Taba; only what Taba loses without a word is a failure', (t) => {
  const peer = result('other', {
    ...{ shown: 900, exact: 'lost 10 %' },
    used: { other: { cpuSec: 0.004, bytes: 6e6, peakBytes: 7e6 } },
  });
  const report = reportOf([result('Taba', {}), peer]);
  t.same(report.rows, [
    ['all', 'Taba', '500', 'agent 1.000', '4.00', '5', '0', 'yes', ''],
    ['all', 'other', '450', 'other 4.000', '16.00', '7', '100', 'lost 10 %', '4.0 times'],
  ]);
  t.equal(report.ok, true);
  t.equal(reportOf([result('Taba', { exact: '1 too many' }), peer]).ok, false);
  t.equal(reportOf([result('Taba', { exact: 'all but 3', toldLoss: true }), peer]).ok, true);
  t.equal(asText(report).split('\n').length, 3);
  t.match(asMarkdown(report).split('\n')[3], /^\| all \| other \| 450 \|/);
  t.end();
});

t.test('a load is exact where nothing is wrong, lost or rejected; what is not, is said', (t) => {
  const ran = (changes: object) => ({
    load: { name: 'a load', flags: [] },
    report: {
      ...{ recorded: 1_000_000, shown: 1_000_000, lost: 0, rejected: 0, wrong_tabs: [], seconds: 2 },
      ...{ events_per_sec: 500_000, cpu_us_per_event: 0.05, grown_bytes: 7e6, drained_sec: 0.25 },
      freshness_ms: { p50: 200.4, p99: null, max: null },
      ...changes,
    },
    used: {
      agent: { cpuSec: 0.1, bytes: 1e6, peakBytes: 9e7 },
      server: { cpuSec: 0.05, bytes: 1e6, peakBytes: 1e8 },
    },
    calibrationNs: 200,
  });
  const good = reportOfLoads([ran({})]);
  t.equal(good.ok, true);
  t.same(good.rows, [
    [
      ...['a load', '500,000', 'yes', 'apps 0.050 + agent 0.100 + server 0.050', '1.00'],
      ...['app +7, agent 90, server 100', '200 ms, never', '0.25 s'],
    ],
  ]);
  for (const fault of [{ lost: 3, shown: 999_997 }, { rejected: 2 }, { wrong_tabs: ['a', 'b'] }]) {
    const report = reportOfLoads([ran({}), ran(fault)]);
    t.equal(report.ok, false);
    t.not(report.rows[1]![2], 'yes');
  }
  t.equal(
    reportOfLoads([ran({ lost: 3, shown: 999_997 })]).rows[0]![2],
    '-3 events, 0 tabs wrong, 3 lost, 0 rejected',
  );
  t.end();
});

t.test('Blocks of Parts have what is expected of their tabs, and every tab has its bucket', (t) => {
  const few = { tabs: 50, clients: 3, eventsPerPart: 4 };
  const registry = builtinHandlers();
  const shown = new PartMap(registry);
  const buckets = bucketsOf(few, 7);
  t.same(
    [...buckets.values()].flat().sort((a, b) => a - b),
    [...new Array(50).keys()],
  );
  for (let round = 0; round < 2; round++) {
    const payloadOf = roundOfParts(few, registry, 1_700_000_000 + round);
    for (const [bucket, tabs] of buckets) {
      const records = readParts(payloadOf(tabs));
      t.equal(records.length, tabs.length * few.clients);
      for (const record of records) {
        if (bucketOf(record.tab, 7) !== bucket) t.fail(`${record.tab} is not of bucket ${bucket}`);
        const all = 'all' as ClientId;
        shown.reduce(record.tab, record.type, all, decodePart(record, registry), record.events);
      }
    }
  }
  for (const { tab, state } of shown.entries()) {
    const rendered = registry.get('CounterGroup')!.render(state, 'json', { nowSec: 1_700_000_010 });
    t.match(rendered, { '1d': expectedOf(few, Number(tab.split('.').at(-1)), 2) });
  }
  t.end();
});

t.test('Parts cost what their processes used; a wrong tab or a rejected Part is said', (t) => {
  const used = {
    server: { cpuSec: 4, bytes: 1, peakBytes: 5e8 },
    redis: { cpuSec: 1, bytes: 1, peakBytes: 1e8 },
  };
  const sent = { parts: 1_000_000, rejected: 0, seconds: 5 };
  const ran = { load: 'Redis: further ones', sent, wrongTabs: 0, used, calibrationNs: 250 };
  const good = reportOfParts([ran]);
  t.equal(good.ok, true);
  t.same(good.rows, [
    [
      ...['Redis: further ones', '1,000,000', '200,000', 'yes', 'server 4.00 + redis 1.00', '20.0'],
      'server 500, redis 100',
    ],
  ]);
  for (const fault of [{ wrongTabs: 2 }, { sent: { ...sent, rejected: 3 } }]) {
    const report = reportOfParts([{ ...ran, ...fault }]);
    t.equal(report.ok, false);
    t.match(report.rows[0]![3], /^[02] tabs wrong, [03] Parts rejected$/);
  }
  t.end();
});
