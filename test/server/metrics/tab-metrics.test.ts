import t from 'tap';
import { TinyCluster, tabsIn } from '../query/cluster-kit.js';

const [prices, users, load, version, total] = [0, 1, 2, 3, 0].map((bucket, at) => tabsIn[bucket]![at]!);
const labelsOf = (tab: string, type: string): string => `tab="${tab}",type="${type}"`;

async function filled(shares: readonly (readonly number[])[]): Promise<TinyCluster> {
  const cluster = await TinyCluster.of(shares);
  for (const [client, value] of Object.entries({ x: 1.5, y: 2.5, z: 4 })) {
    await cluster.count(
      { tab: prices!, type: 'PercentileGroup', client, value },
      { tab: total!, client, value },
      { tab: users!, type: 'UniqueCounter', client, value: client === 'z' ? 'ann' : 'bob' },
      { tab: load!, type: 'Gauge', client, value },
      { tab: version!, type: 'Gauge', client, value: client === 'z' ? 'a "b"\n\\c' : 'v1' },
    );
  }
  return cluster;
}

t.test('every server tells the same of the whole cluster: numbers of every type', async (t) => {
  const { servers } = await filled([[0, 1], [2, 3], []]);
  const answers = await Promise.all(
    servers.map((server) => server.ask('/metrics/tabs?window=1m,all', { accept: '' })),
  );
  const [{ text, headers }] = answers as [(typeof answers)[0]];
  for (const answer of answers) t.equal(answer.text, text);
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const lines = text.split('\n');
  for (const line of [
    '# TYPE taba_tab_count_total counter',
    `taba_tab_count_total{${labelsOf(prices!, 'PercentileGroup')}} 3`,
    `taba_tab_sum_total{${labelsOf(prices!, 'PercentileGroup')}} 8`,
    `taba_tab_count_total{${labelsOf(total!, 'TotalsCounter')}} 3`,
    `taba_tab_window_events{${labelsOf(prices!, 'PercentileGroup')},window="1m"} 3`,
    `taba_tab_window_amount{${labelsOf(prices!, 'PercentileGroup')},window="1m"} 8`,
    '# TYPE taba_tab_percentile summary',
    `taba_tab_percentile{${labelsOf(prices!, 'PercentileGroup')},window="1m",quantile="0.5"} 2.5`,
    `taba_tab_distinct{${labelsOf(users!, 'UniqueCounter')},window="all"} 2`,
    `taba_tab_count_total{${labelsOf(users!, 'UniqueCounter')}} 3`,
    `taba_tab_value{${labelsOf(load!, 'Gauge')}} 8`,
    `taba_tab_value_min{${labelsOf(load!, 'Gauge')}} 1.5`,
    `taba_tab_value_max{${labelsOf(load!, 'Gauge')}} 4`,
    `taba_tab_value_clients{${labelsOf(load!, 'Gauge')}} 3`,
    `taba_tab_state_clients{${labelsOf(version!, 'Gauge')},value="v1"} 2`,
    `taba_tab_state_clients{${labelsOf(version!, 'Gauge')},value="a \\"b\\"\\n\\\\c"} 1`,
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.notOk(text.includes('10m'), 'windows that nobody asked for are not told');
});

t.test('filters choose tabs, clients, families and windows', async (t) => {
  const { servers } = await filled([[0, 1, 2, 3]]);
  const ask = (query: string) => servers[0]!.ask(`/metrics/tabs?${query}`, { accept: '' });
  const labels = labelsOf(prices!, 'PercentileGroup');
  t.equal(
    (await ask(`name=${prices}&client=x,z&family=sum`)).text,
    '# HELP taba_tab_sum_total Sum of the values of the tab since it began. It falls where values are negative.\n' +
      '# TYPE taba_tab_sum_total counter\n' +
      `taba_tab_sum_total{${labels}} 5.5\n`,
  );
  const rates = (await ask(`name=${prices}&family=rate&window=1h,1d`)).text.split('\n');
  t.same(
    rates.filter((line) => line.startsWith('taba')).map((line) => /window="(\w+)"/.exec(line)![1]),
    ['1h', '1d'],
  );
  t.match((await ask('family=count,sums')).error, {
    code: 'bad_parameter',
    message: /^parameter family: "sums" is none of count, sum, events, /,
  });
  t.match((await ask('window=5m')).error, { code: 'bad_parameter', message: /"5m" is none of 1m, / });
  t.match((await ask('name=nowhere')).error, { code: 'unknown_tab' });
  t.match((await ask('filter=x')).error, { code: 'bad_parameter' });
});

t.test('OpenMetrics by its name in Accept', async (t) => {
  const { servers } = await filled([[0, 1, 2, 3]]);
  const path = `/metrics/tabs?name=${total}&family=count`;
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
  const { text, headers } = await servers[0]!.ask(path, { accept });
  t.equal(headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.equal(
    text,
    '# HELP taba_tab_count Events of the tab since it began.\n' +
      '# TYPE taba_tab_count counter\n' +
      `taba_tab_count_total{${labelsOf(total!, 'TotalsCounter')}} 3\n` +
      '# EOF\n',
  );
  const refused = await servers[0]!.ask(path, { accept: 'application/openmetrics-text;q=0, text/plain' });
  t.match(refused.headers, { 'content-type': /^text\/plain; version=0.0.4/ });
});

t.test('too much is refused while it grows, and nobody is left out in silence', async (t) => {
  // What the holders tell is too much, or what is made of it.
  for (const maxResultBytes of [200, 600]) {
    const small = await TinyCluster.of([[0, 1, 2, 3]], { limits: { maxResultBytes } });
    for (let tab = 0; tab < 8; tab++) await small.count({ tab: `tab${tab}`, value: tab });
    const { error } = await small.servers[0]!.ask('/metrics/tabs', { accept: '' });
    t.match(error, { code: 'result_too_large' }, `${maxResultBytes} bytes`);
  }

  const cluster = await filled([
    [0, 1],
    [2, 3],
  ]);
  const [asked, away] = cluster.servers;
  away!.state = 'unreachable';
  const ask = (path: string) => cluster.eventually(asked!.ask(path, { accept: '' }));
  t.match((await ask('/metrics/tabs')).error, { code: 'unavailable' });
  const partial = await ask('/metrics/tabs?partial=true');
  t.match(partial.headers, { 'x-taba-missing-buckets': '2-3' });
  t.ok(partial.text.includes(prices!) && !partial.text.includes(load!));
});
