/** The parts of the benchmarks that their figures rest on. */
import t from 'tap';
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
  const { user, system } = process.cpuUsage();
  const { cpuSec, bytes, peakBytes } = await usageOf(process.pid);
  t.ok(Math.abs(cpuSec - (user + system) / 1e6) < 0.1, `${cpuSec} s`);
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
