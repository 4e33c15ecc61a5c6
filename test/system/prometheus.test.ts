/** A real Prometheus with the configuration of docs/examples, and its promtool. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { Child } from '../../scripts/process/child.js';
import { freePort } from '../../scripts/process/free-port.js';
import { prometheusPrograms } from '../../scripts/process/system-program.js';
import type { RunningAgent } from '../../src/agent/agent.js';
import type { RunningServer } from '../../src/server/server.js';
import { agentOf } from '../agent/agent-kit.js';
import { ask, folder, handedOver, post, serverOf, until } from './kit.js';
import { mappingOf } from './statsd/kit.js';

t.setTimeout(280_000);

const root = join(import.meta.dirname, '../..');

const events = [
  ...[1.37, 1.5, 2.25, 9.75].map((value) => ['winning_bid_price', 'PercentileGroup', value]),
  ...[1, 1, 1].map((value) => ['bids', 'CounterGroup', value]),
  ...['ann', 'bob', 'ann'].map((value) => ['bids.users', 'UniqueCounter', value]),
  ['bids_users', 'Gauge', 7.5],
  ['bids.version', 'Gauge', 'v1 "x"\n\\'],
].map(([name, type, value]) => ({ name, type, value, client: 'web1' }));

interface Shown {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [timeSec: number, value: string];
}

/** A Prometheus that scrapes both every second; ended with the test. @returns its address, and every line that it logged */
async function prometheusOf(t: Test, server: RunningServer, agent: RunningAgent) {
  const { prometheus } = await prometheusPrograms();
  const home = folder(t);
  const example = await readFile(join(root, 'docs/examples/prometheus.yml'), 'utf8');
  const config = example
    .replaceAll('localhost:8300', new URL(server.url).host)
    .replaceAll('localhost:8279', new URL(agent.url).host)
    .replaceAll('15s', '1s');
  await writeFile(join(home, 'prometheus.yml'), config);
  const address = `127.0.0.1:${await freePort()}`;
  const log: string[] = [];
  const child = new Child(
    'prometheus',
    [
      prometheus,
      `--config.file=${join(home, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(home, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { onLine: (line) => log.push(line) },
  );
  await child.spawn();
  t.teardown(() => child.kill());
  return { url: `http://${address}`, log };
}

async function promtoolFinds(page: string): Promise<string> {
  const { promtool } = await prometheusPrograms();
  const child = execFile(promtool, ['check', 'metrics']);
  child.stdin!.end(page);
  const [said] = await Promise.all([
    Promise.all([text(child.stdout!), text(child.stderr!)]),
    once(child, 'close'),
  ]);
  return said.join('');
}

t.test('a real Prometheus reads what Taba counts', async (t) => {
  const server = await serverOf(t, { selfInstrument: true });
  const { agent } = await agentOf(t, { servers: [server.url] });
  const { status } = await post(`${agent.url}/events`, JSON.stringify(events), {
    'content-type': 'application/json',
  });
  t.equal(status, 200);
  await handedOver({ agent });

  const { url, log } = await prometheusOf(t, server, agent);
  const query = async (expression: string): Promise<readonly Shown[]> => {
    const answer = await ask(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
    return answer.json.data.result;
  };
  await until('Prometheus has scraped all of it', async () => {
    const up = await query('sum(up)').catch(() => []);
    return up[0]?.value[1] === '3';
  });

  const number = async (expression: string): Promise<number[]> =>
    (await query(expression)).map(({ value }) => Number(value[1]));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'src/main.ts', 'agg', 'winning_bid_price', '--json', '--server', server.url],
    { cwd: root },
  );
  const agg = JSON.parse(stdout).winning_bid_price['1m'];
  t.same(await number('taba_tab_sum_total{tab="winning_bid_price"}'), [agg.total]);
  t.same(await number('taba_tab_count_total{tab="winning_bid_price"}'), [agg.count]);
  const percentiles = await number('sort(taba_tab_percentile{tab="winning_bid_price",window="1m"})');
  t.same(percentiles, agg.pct);

  t.same(await number('taba_tab_sum_total{tab="bids",type="CounterGroup"}'), [3]);
  t.same(await number('taba_tab_distinct{tab="bids.users",window="all"}'), [2]);
  t.same(await number('taba_tab_value{tab="bids_users"}'), [7.5]);
  const [version] = await query('taba_tab_state_clients');
  t.match(version, { metric: { tab: 'bids.version', value: 'v1 "x"\n\\' }, value: [Number, '1'] });
  t.same(await number('taba_agent_events_delivered_total'), [events.length]);
  t.same(await number('taba_server_buckets{state="serving"}'), [16]);
  t.same((await number('process_cpu_seconds_total')).length, 2);

  t.same(
    log.filter((line) => !/level=(info|debug)/.test(line)),
    [],
    'it warns of nothing',
  );
});

t.test('promtool finds nothing wrong', async (t) => {
  const server = await serverOf(t, { selfInstrument: true });
  const statsd = { port: 0, receiveBufferBytes: 65_536, mapping: mappingOf([]) };
  const { agent } = await agentOf(t, { servers: [server.url], statsd });
  await post(`${agent.url}/events`, JSON.stringify(events), { 'content-type': 'application/json' });
  await handedOver({ agent });
  for (const page of [`${server.url}/metrics`, `${server.url}/metrics/tabs`, `${agent.url}/metrics`]) {
    const answer = await ask(page);
    t.equal(answer.status, 200);
    t.match(answer.text, /^taba_/m);
    t.equal(await promtoolFinds(answer.text), '', page);
  }
  t.not(await promtoolFinds('# TYPE x_total gauge\nx_total 1\n'), '', 'it would say so');
});
