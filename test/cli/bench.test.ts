import t, { type Test } from 'tap';
import { expectedOf, type Plan, tabName } from '../../src/cli/bench/plan.js';
import type { BenchReport } from '../../src/cli/bench/report.js';
import { verify } from '../../src/cli/bench/verification.js';
import { agentOf } from '../agent/agent-kit.js';
import { type Entrance, json, post, serverOf, throughBoth } from '../system/kit.js';
import { taba } from './terminal.js';

async function namesOf(server: Entrance['server']): Promise<string[]> {
  return JSON.parse((await json(`${server.url}/names`)).text) as string[];
}

t.test('every event that is recorded is found, and nothing stays behind', async (t) => {
  const records = async (t: Test, { url, server }: Entrance) => {
    const flags = ['--tabs', '30', '--zipf', '--clients', '3', '--processes', '2', '--seconds', '1'];
    const line = ['bench', '--json', '--url', url, '--rate', '50000', '--server', server.url, ...flags];
    const ran = await taba(line, { env: process.env });
    t.equal(ran.err, '');
    t.equal(ran.code, 0);
    const report = JSON.parse(ran.out) as BenchReport;
    t.match(report, { lost: 0, rejected: 0, wrong_tabs: [], shown: report.recorded });
    t.ok(report.recorded > 10_000, `${report.recorded} events`);
    const { p50, p99, max } = report.freshness_ms;
    t.ok(p50 !== null && p99 !== null && max !== null && 0 < p50 && p50 <= p99 && p99 <= max);
    t.same(await namesOf(server), []);
  };
  await throughBoth(t, () => ({}), records);
});

t.test('columns of events are counted as exactly, through whatever takes part', async (t) => {
  const server = await serverOf(t);
  const { agent } = await agentOf(t, { servers: [server.url] });
  const flags = ['--raw', '--tabs', '30', '--processes', '2', '--clients', '3', '--seconds', '1'];
  const urls = ['--url', server.url, '--url', agent.url];
  const ran = await taba(['bench', '--json', ...urls, '--rate', '100000', '--server', server.url, ...flags], {
    env: process.env,
  });
  t.equal(ran.err, '');
  const report = JSON.parse(ran.out) as BenchReport;
  t.match(report, { lost: 0, rejected: 0, wrong_tabs: [], shown: report.recorded });
  t.ok(report.recorded > 10_000, `${report.recorded} events`);
  t.ok(agent.status().books.received > 10_000, 'the second process sent to the second address');
});

t.test('the beginning may be left out of the freshness, but not everything', async (t) => {
  const server = await serverOf(t);
  const line = [
    'bench',
    '--json',
    '--url',
    server.url,
    '--server',
    server.url,
    '--seconds',
    '2',
    '--rate',
    '1000',
  ];
  const ran = await taba([...line, '--tabs', '5', '--warm-up', '1'], { env: process.env });
  t.ok((JSON.parse(ran.out) as BenchReport).freshness_ms.p50 !== null);
  const wrong = await taba([...line, '--warm-up', '2'], { env: process.env });
  t.equal(wrong.code, 2);
  t.match(wrong.err, /--warm-up: "2" is wrong: it takes a whole number from 0 to 1/);
});

t.test('what people read', async (t) => {
  const server = await serverOf(t);
  const flags = ['--tabs', '5', '--rate', '1000', '--seconds', '1', '--by-name', '--type', 'TotalsCounter'];
  const line = ['bench', '--url', server.url, '--server', server.url, '--keep', ...flags];
  const ran = await taba(line, { env: process.env });
  t.equal(ran.code, 0);
  t.match(ran.out, /^recorded {3}[\d,]+ events in 1\.\d s: /);
  t.match(ran.out, /^shown {6}[\d,]+: every count and total is exact$/m);
  t.match(ran.out, /^lost {7}0, rejected 0$/m);
  t.match(ran.out, /^freshness {2}p50 \d+ ms, p99 \d+ ms, at most \d+ ms; everything was shown /m);
  t.equal((await namesOf(server)).length, 6, 'five tabs and the probe');
});

t.test('a tab that shows too little or too much is wrong', async (t) => {
  const server = await serverOf(t);
  const plan: Plan = { prefix: 'p', tabs: 3, clients: 1, type: 'TotalsCounter', zipf: false };
  const events = expectedOf(plan, [50]).flatMap(({ count, total }, tab) =>
    Array.from({ length: tab === 1 ? count + 1 : count }, (_, event) => ({
      ...{ name: tabName(plan, tab), type: plan.type, client: 'c' },
      value: event === 0 ? total : 0,
    })),
  );
  await post(`${server.url}/events`, JSON.stringify(events));
  const found = await verify(plan, [50], 0, server.url, 300);
  t.same({ ...found, waitedSec: 0 }, { shown: 51, recorded: 50, wrongTabs: ['p.1'], waitedSec: 0 });
  const short = await verify(plan, [55], 4, server.url, 60_000);
  t.match(short, { shown: 51, recorded: 55 });
  t.ok(short.wrongTabs.length > 0);
  t.ok(short.waitedSec < 30, 'events that are known to be missing are not waited for');
});

t.test('bad flags are named', async (t) => {
  for (const [flag, value, wanted] of [
    ['--rate', '-1', /--rate: "-1" is wrong: it takes a whole number from 0 to/],
    ['--tabs', 'many', /--tabs: "many" is wrong/],
    ['--tabs', ' ', /--tabs: " " is wrong/],
    ['--seconds', '0.5', /--seconds: "0\.5" is wrong/],
    ['--processes', '65', /--processes: "65" is wrong: it takes a whole number from 1 to 64/],
    ['--type', 'Gauge', /--type: "Gauge" is wrong: it takes one of CounterGroup, /],
    ['--url', 'nowhere at all', /--url: "nowhere at all" is wrong/],
    ['--server', 'x y', /--server: "x y" is wrong/],
  ] as const) {
    const ran = await taba(['bench', `${flag}=${value}`]);
    t.equal(ran.code, 2, `${flag} ${value}`);
    t.match(ran.err, wanted);
  }
  const odd = await taba(['bench', '--raw', '--by-name']);
  t.equal(odd.code, 2);
  t.match(odd.err, /--raw .* leave --by-name out/);
  const ran = await taba(['bench', '--processes', '3', '--clients', '2']);
  t.equal(ran.code, 2);
  t.match(ran.err, /--clients: "2" is wrong: it takes a whole number from 3 to/, 'each process has a client');
});

t.test('a server that is away is named before anything is recorded', async (t) => {
  const away = await taba(['bench', '--server', 'http://127.0.0.1:1']);
  t.equal(away.code, 1);
  t.match(away.err, /127\.0\.0\.1:1/);
});
