/**
 * OpenTelemetry's JavaScript SDK in three processes, each of which restarts once, through two agents of which one is killed
 * and comes back on its spool: every count and every total is exact, however it was sent.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from '../../cli/daemon-process.js';
import { random } from '../../core/random.js';
import { programOf } from '../../support/program.js';
import { folder, json, serverOf, until } from '../kit.js';
import type { Recorded } from './application.js';
import { balancer } from './balancer.js';
import { ways } from './ways.js';

const processes = 3;
const rounds = 8;
const program = join(import.meta.dirname, '../../../src/main.ts');

interface Totals {
  counter: number;
  upDown: number;
  histogram: number[];
  exponential: number[];
  gauge: number;
}

/** A tab as JSON: its last day, and what a gauge shows. */
interface Shown {
  readonly '1d': { readonly count: number; readonly total: number };
}

async function application(t: Test, url: string): Promise<ChildProcess> {
  const { file, execArgv } = programOf(join(import.meta.dirname, 'application.ts'));
  const child = fork(file, [url], { execArgv });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}

t.test('the SDK of OpenTelemetry', async (t) => {
  const next = random(17);
  const whole = (most: number): number => Math.floor(next() * most);
  const server = await serverOf(t);
  const spools = [folder(t), folder(t)];
  const startAgent = async (spool: string) => {
    const daemon = startDaemon(t, program, [
      'agent',
      '--port',
      '0',
      '--server',
      server.url,
      '--spool',
      spool,
    ]);
    const { agent } = await daemon.event('ready');
    return { daemon, url: String(agent) };
  };
  const agents = await Promise.all(spools.map(startAgent));
  const front = await balancer(
    t,
    agents.map(({ url }) => url),
  );
  const applications = await Promise.all(Array.from({ length: processes }, () => application(t, front.url)));
  const totals: Totals = { counter: 0, upDown: 0, histogram: [], exponential: [], gauge: 0 };

  for (let round = 0; round < rounds; round++) {
    if (round === 3) {
      // Nothing is under way, but the spool has what was answered and no server has yet.
      t.equal(front.underWay, 0);
      agents[0]!.daemon.kill('SIGKILL');
      await agents[0]!.daemon.ended;
    }
    if (round === 5) {
      const again = await startAgent(spools[0]!);
      front.targets[0] = again.url;
    }
    for (const [at, child] of applications.entries()) {
      const recorded: Recorded = {
        counter: 1 + whole(100),
        upDown: whole(40) - 20,
        histogram: Array.from({ length: whole(5) }, () => whole(40_000) / 4),
        exponential: Array.from({ length: whole(5) }, () => whole(40_000) / 4 - 500),
        gauge: whole(1000),
      };
      const answered = once(child, 'message');
      child.send(recorded);
      t.strictSame(await answered, ['flushed', undefined], `round ${round}, process ${at}`);
      totals.counter += recorded.counter;
      totals.upDown += recorded.upDown;
      totals.histogram.push(...recorded.histogram);
      totals.exponential.push(...recorded.exponential.filter((value) => value >= 0));
      totals.gauge = recorded.gauge;
    }
    if (round === 4) {
      for (const child of applications) child.kill('SIGKILL');
      for (const at of applications.keys()) applications[at] = await application(t, front.url);
    }
  }
  t.equal(front.answered.size, 3, 'both agents, and the first one again, were used');

  const tabs = ['orders;region=eu', 'queue', 'latency', 'sizes', 'level'].flatMap((tab) =>
    ways.map(({ name }) => `${tab};service.name=${name}`),
  );
  const shown = async (): Promise<Record<string, Shown>> =>
    (await json(`${server.url}/tabs?name=${tabs.map(encodeURIComponent).join(',')}`)).json;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  await until('everything has arrived', async () => {
    const tabsNow = await shown();
    return ways.every(
      ({ name }) => tabsNow?.[`orders;region=eu;service.name=${name}`]?.['1d']?.total === totals.counter,
    );
  });
  const answer = await shown();
  for (const { name } of ways) {
    const of = (tab: string): Shown => answer[`${tab};service.name=${name}`]!;
    t.equal(of('orders;region=eu')['1d'].total, totals.counter, `${name}: the counter`);
    t.equal(of('queue')['1d'].total, totals.upDown, `${name}: the up-down counter`);
    t.equal(of('latency')['1d'].count, totals.histogram.length, `${name}: values of the histogram`);
    t.equal(of('latency')['1d'].total, sum(totals.histogram), `${name}: their sum`);
    t.equal(
      of('sizes')['1d'].count,
      totals.exponential.length,
      `${name}: values of the exponential histogram`,
    );
    t.equal(of('sizes')['1d'].total, sum(totals.exponential), `${name}: their sum`);
    t.strictSame(of('level'), { [totals.gauge]: 1 }, `${name}: the gauge`);
  }
});
