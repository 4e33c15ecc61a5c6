import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildExecutable } from '../../cluster/program.js';
import { measured } from '../measured.js';
import { type Result, reportOf } from '../report/results.js';
import { saidBySender } from '../said-by.js';
import type { BenchOptions, Scenario } from '../scenario.js';
import { TabaPair } from '../taba-pair.js';
import { type Bodies, expectedOf, tabOf } from './bodies.js';
import type { SenderOrder } from './sender.js';

const eventsPerBody = 10_000;
/** Events for each second that a load should last. */
const about = 800_000;

const loads = [
  { name: '/post, 1,000 tabs', path: '/post', tabs: 1000 },
  { name: '/post_zip, 1,000 tabs', path: '/post_zip', tabs: 1000 },
  { name: '/post, 10,000 tabs', path: '/post', tabs: 10_000 },
] as const;

export const v1Scenario: Scenario = {
  about: 'bodies of 10,000 events in text v1 into an agent with a server, until they are durable',
  async run(options) {
    const taba = await buildExecutable();
    const results: Result[] = [];
    for (const load of loads) results.push(await resultOf(load, taba, options));
    return reportOf(results);
  },
};

async function resultOf(
  { name, path, tabs }: (typeof loads)[number],
  taba: readonly string[],
  { seconds, print }: BenchOptions,
): Promise<Result> {
  const bodies: Bodies = { path, tabs, eventsPerBody, bodies: Math.round((about * seconds) / eventsPerBody) };
  const sent = bodies.bodies * eventsPerBody;
  const pair = await TabaPair.start(taba);
  try {
    print(`${name}: ${sent.toLocaleString('en')} events …`);
    const { outcome, used, calibrationNs } = await measured(pair.pids, async () => {
      const begun = performance.now();
      const order: SenderOrder = { url: pair.agentUrl, bodies };
      await saidBySender(join(import.meta.dirname, 'sender.ts'), order);
      while ((await pair.delivered()) < sent) await sleep(20);
      return (performance.now() - begun) / 1000;
    });
    const { shown, wrong } = compared(bodies, await pair.tabs('bench'));
    return {
      ...{ load: name, program: 'Taba', sent, shown, used, calibrationNs, seconds: outcome },
      exact: wrong === 0 ? true : `${wrong} tabs are wrong`,
    };
  } finally {
    await pair.stop();
  }
}

function compared(
  bodies: Bodies,
  tabs: Awaited<ReturnType<TabaPair['tabs']>>,
): { shown: number; wrong: number } {
  let shown = 0;
  let wrong = 0;
  for (let tab = 0; tab < bodies.tabs; tab++) {
    const { count, total } = tabs[tabOf(tab)] ?? { count: 0, total: 0 };
    const expected = expectedOf(bodies, tab);
    shown += count;
    if (count !== expected.count || total !== expected.total) wrong++;
  }
  return { shown, wrong };
}
