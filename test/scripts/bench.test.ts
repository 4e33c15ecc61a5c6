/** The parts of the benchmarks that their figures rest on. */
import t from 'tap';
import { reportOf as reportOfLoads } from '../../scripts/bench/load/report.js';
import { type Result, reportOf } from '../../scripts/bench/report/results.js';
import { asMarkdown, asText } from '../../scripts/bench/report/table.js';
import { nameOf, roundOf, type Traffic, totalOf } from '../../scripts/bench/statsd/traffic.js';
import { usageOf } from '../../scripts/bench/usage.js';

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
