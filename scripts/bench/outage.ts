import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../src/cli/bench/plan.js';
import { shareVariable } from '../../src/cli/bench/processes.js';
import type { Share, ShareResult } from '../../src/cli/bench/share.js';
import { verify } from '../../src/cli/bench/verification.js';
import { buildExecutable } from '../cluster/program.js';
import { measured } from './measured.js';
import { saidBy } from './said-by.js';
import type { BenchOptions, Report, Scenario } from './scenario.js';
import { TabaPair } from './taba-pair.js';
import { usageOf } from './usage.js';

const tabs = 5000;
const eventsPerSec = 1_000_000;
const verifyDeadlineMs = 60_000;

/** An agent that nobody takes anything from, and what happens when somebody does. */
export const outageScenario: Scenario = {
  about:
    'an agent at 1,000,000 events a second without a server, and how soon everything is in once it is back',
  run: outageReport,
};

async function outageReport({ seconds, print }: BenchOptions): Promise<Report> {
  const taba = await buildExecutable();
  const pair = await TabaPair.start(taba);
  try {
    await pair.stopServer();
    print(`${tabs} tabs, ${eventsPerSec} events/s, no server for ${seconds} s …`);
    const plan: Plan = { prefix: 'outage', tabs, type: 'CounterGroup', clients: 1, zipf: false };
    const share: Share = {
      plan,
      clients: [0],
      url: pair.agentUrl,
      eventsPerSec,
      seconds,
      byName: false,
      raw: false,
    };
    const agent = { agent: pair.pids.agent! };
    const sizes: number[] = [];
    const sampling = setInterval(async () => sizes.push((await usageOf(agent.agent)).bytes), 1000);
    const { outcome, used, calibrationNs } = await measured(agent, () =>
      saidBy<ShareResult>('application', [...taba, 'bench'], { [shareVariable]: JSON.stringify(share) }),
    ).finally(() => clearInterval(sampling));
    const { events, lost, rejected } = outcome;
    await pair.startServer();
    const backAtMs = performance.now();
    while ((await pair.delivered()) < events[0]!) await sleep(10);
    const drainedSec = (performance.now() - backAtMs) / 1000;
    const { wrongTabs } = await verify(plan, events, lost + rejected, pair.serverUrl, verifyDeadlineMs);
    const megabytes = (at: number) => ((sizes[at] ?? 0) / 1e6).toFixed(0);
    return {
      columns: [
        'without a server',
        'events',
        'exact',
        'CPU µs/event',
        'agent MB: middle, end',
        'drained within',
      ],
      rows: [
        [
          `${outcome.seconds.toFixed(0)} s, ${tabs.toLocaleString('en')} tabs`,
          events[0]!.toLocaleString('en'),
          wrongTabs.length === 0
            ? 'yes'
            : `${wrongTabs.length} tabs wrong, ${lost} lost, ${rejected} rejected`,
          ((used.agent!.cpuSec * 1e6) / events[0]!).toFixed(3),
          `${megabytes(sizes.length >> 1)}, ${megabytes(sizes.length - 1)}`,
          `${drainedSec.toFixed(2)} s`,
        ],
      ],
      calibrationsNs: [calibrationNs],
      ok: wrongTabs.length === 0,
    };
  } finally {
    await pair.stop();
  }
}
