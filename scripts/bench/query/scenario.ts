import { setTimeout as sleep } from 'node:timers/promises';
import { expectedOf, type Figures, type Plan, tabName } from '../../../src/cli/bench/plan.js';
import { recordInProcesses } from '../../../src/cli/bench/processes.js';
import type { Share, ShareResult } from '../../../src/cli/bench/share.js';
import { buildExecutable } from '../../cluster/program.js';
import { calibrationNs } from '../calibration.js';
import { quantile } from '../quantile.js';
import type { BenchOptions, Report, Scenario } from '../scenario.js';
import { TabaPair } from '../taba-pair.js';
import { type Asked, askFor } from './questions.js';

const tabs = 30_000;
const clients = 20;
/** Most (tab, client) once at least. */
const fillRate = 100_000;
const fillSeconds = 20;
/** About a quarter of what two cores bear where every event is of another (tab, client) than the ones before. */
const loadRate = 25_000;
const plan: Plan = { prefix: 'queried', tabs, type: 'CounterGroup', clients, zipf: false };
const popular = 'popular';
const clientsOfPopular = 10_000;

export const queryScenario: Scenario = {
  about: 'how long answers take over 30,000 tabs of 20 clients, while events come in',
  run: queryReport,
};

async function queryReport({ seconds, print }: BenchOptions): Promise<Report> {
  const taba = await buildExecutable();
  const pair = await TabaPair.start(taba);
  const recorded = async (eventsPerSec: number, forSeconds: number): Promise<readonly ShareResult[]> => {
    const shares = [0, 1].map((half): Share => {
      const own = Array.from({ length: clients }, (_, client) => client).filter((id) => id % 2 === half);
      const rate = { eventsPerSec: eventsPerSec / 2, seconds: forSeconds };
      return { plan, clients: own, url: pair.agentUrl, byName: false, raw: false, ...rate };
    });
    const [file, ...args] = taba;
    return recordInProcesses(shares, { file: file!, args }, process.env);
  };
  const delivered = async (): Promise<void> => {
    while ((await pair.status()).books.buffered > 0) await sleep(100);
  };
  try {
    print(`filling ${tabs * clients} States …`);
    const filled = await recorded(fillRate, fillSeconds);
    await recordPopular(pair.serverUrl);
    await delivered();
    const calibrations = [calibrationNs()];
    const load = recorded(loadRate, Math.ceil(seconds) + 2);
    // Until it is up.
    await sleep(2000);
    const questions = questionsAbout(plan);
    const rows: string[][] = [];
    for (const asked of questions) {
      print(`${asked.name} …`);
      const taken = await askFor(pair.serverUrl, asked, seconds / questions.length);
      const ms = (share: number) => quantile(taken, share).toFixed(1);
      rows.push([asked.name, String(taken.length), ms(0.5), ms(0.99)]);
    }
    const loaded = await load;
    await delivered();
    calibrations.push(calibrationNs());
    const ok = await isExact(pair, [filled, loaded]);
    return { columns: ['question', 'answers', 'p50 ms', 'p99 ms'], rows, calibrationsNs: calibrations, ok };
  } finally {
    await pair.stop();
  }
}

/** Whether every tab shows what was recorded in all runs together. */
async function isExact(pair: TabaPair, runs: readonly (readonly ShareResult[])[]): Promise<boolean> {
  const expected = runs.map((results) =>
    expectedOf(
      plan,
      results.flatMap(({ events }) => events),
    ),
  );
  const shown = await pair.tabs(`${plan.prefix}\\.`);
  return Array.from({ length: tabs }, (_, tab) => tab).every((tab) => {
    const figures = shown[tabName(plan, tab)];
    const sum = (of: (figures: Figures) => number) =>
      expected.reduce((total, run) => total + of(run[tab]!), 0);
    return figures?.count === sum(({ count }) => count) && figures.total === sum(({ total }) => total);
  });
}

/** A tab of which there is one State a client, all of which are looked at for an answer. */
async function recordPopular(serverUrl: string): Promise<void> {
  const events = Array.from({ length: clientsOfPopular }, (_, client) => ({
    ...{ name: popular, type: 'Gauge', value: client % 100, client: `popular-${client}` },
  }));
  const answer = await fetch(`${serverUrl}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  if (!answer.ok) throw new Error(`/events: ${answer.status} ${await answer.text()}`);
  await sleep(1000);
}

function questionsAbout({ prefix }: Plan): readonly Asked[] {
  const like = (route: string, expression: string) =>
    `${route}?${new URLSearchParams({ re: 'true', name: `${prefix}\\.${expression}` })}`;
  const wantTabs = (wanted: number) => (answer: object) => {
    const got = Object.keys(answer).length;
    return got === wanted ? undefined : `${got} tabs instead of ${wanted}`;
  };
  return [
    {
      name: 'one tab',
      path: (turn) => `/tabs?name=${prefix}.${(turn * 7919) % tabs}`,
      fault: wantTabs(1),
    },
    { name: '900 tabs', path: () => like('/tabs', '[1-9][0-9][0-9]$'), fault: wantTabs(900) },
    { name: `all ${tabs} tabs`, path: () => like('/tabs', '[0-9]+$'), fault: wantTabs(tabs) },
    {
      name: `one sum over ${tabs} tabs`,
      path: () => like('/supertabs', '[0-9]+$'),
      fault: (answer) => ('1d' in answer ? undefined : `it is ${JSON.stringify(answer).slice(0, 80)}`),
    },
    {
      name: `one tab over ${clientsOfPopular} clients`,
      path: () => `/tabs?name=${popular}`,
      fault: wantTabs(1),
    },
  ];
}
