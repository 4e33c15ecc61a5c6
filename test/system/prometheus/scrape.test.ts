/** A real Prometheus with the configuration of docs/examples, and its promtool. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import t from 'tap';
import { prometheusPrograms } from '../../../scripts/process/system-program.js';
import { agentOf } from '../../agent/agent-kit.js';
import { programArguments } from '../../support/program.js';
import { ask, handedOver, post, serverOf } from '../kit.js';
import { mappingOf } from '../statsd/kit.js';
import { events, prometheusOf, root } from './kit.js';

t.setTimeout(280_000);

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

  const { query, log } = await prometheusOf(t, server, agent);
  const number = async (expression: string): Promise<number[]> =>
    (await query(expression)).map(({ value }) => Number(value[1]));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...programArguments(join(root, 'src/main.ts')),
      'agg',
      'winning_bid_price',
      '--json',
      '--server',
      server.url,
    ],
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
