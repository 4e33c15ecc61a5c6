/** A real Prometheus, with the configuration of docs/examples. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Child } from '../../../scripts/process/child.js';
import { freePort } from '../../../scripts/process/free-port.js';
import { prometheusPrograms } from '../../../scripts/process/system-program.js';
import type { RunningAgent } from '../../../src/agent/agent.js';
import type { RunningServer } from '../../../src/server/server.js';
import { ask, folder, until } from '../kit.js';

export const root = join(import.meta.dirname, '../../..');

/** Events of every kind that Prometheus is shown. */
export const events = [
  ...[1.37, 1.5, 2.25, 9.75].map((value) => ['winning_bid_price', 'PercentileGroup', value]),
  ...[1, 1, 1].map((value) => ['bids', 'CounterGroup', value]),
  ...['ann', 'bob', 'ann'].map((value) => ['bids.users', 'UniqueCounter', value]),
  ['bids_users', 'Gauge', 7.5],
  ['bids.version', 'Gauge', 'v1 "x"\n\\'],
].map(([name, type, value]) => ({ name, type, value, client: 'web1' }));

export interface Shown {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [timeSec: number, value: string];
}

/**
 * A Prometheus that scrapes both every second and has done so once; ended with the test.
 * @returns `query` for PromQL, and every line that it logged
 */
export async function prometheusOf(t: Test, server: RunningServer, agent: RunningAgent) {
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

  const query = async (expression: string): Promise<readonly Shown[]> => {
    const answer = await ask(`http://${address}/api/v1/query?${new URLSearchParams({ query: expression })}`);
    if (answer.status !== 200) throw new Error(`${expression}: ${answer.text}`);
    return answer.json.data.result;
  };
  await until('Prometheus has scraped all of it', async () => {
    const up = await query('sum(up)').catch(() => []);
    return up[0]?.value[1] === '3';
  });
  return { query, log };
}
