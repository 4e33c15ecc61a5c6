import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchReport } from '../../../src/cli/bench/report.js';
import { buildExecutable } from '../../cluster/program.js';
import { calibrationNs } from '../calibration.js';
import { quantile } from '../quantile.js';
import { saidBy } from '../said-by.js';
import type { BenchOptions, Report, Scenario } from '../scenario.js';
import { TabaPair } from '../taba-pair.js';
import { type Asked, askFor } from './questions.js';

const tabs = 30_000;
const clients = 20;
/** Ten for each (tab, client). */
const fillRate = 400_000;
const fillSeconds = 15;
/** About a quarter of what two cores bear of so many tabs and clients. */
const loadRate = 100_000;
const popular = 'popular';
const clientsOfPopular = 10_000;

export const queryScenario: Scenario = {
  about: 'how long answers take over 30,000 tabs of 20 clients, while events come in',
  run: queryReport,
};

async function queryReport({ seconds, print }: BenchOptions): Promise<Report> {
  const taba = await buildExecutable();
  const pair = await TabaPair.start(taba);
  const recorded = (rate: number, forSeconds: number, ...flags: readonly string[]) =>
    saidBy<BenchReport>('load', [
      ...[...taba, 'bench', '--json', '--url', pair.agentUrl, '--server', pair.serverUrl],
      ...['--tabs', String(tabs), '--clients', String(clients), '--processes', '2'],
      ...['--rate', String(rate), '--seconds', String(forSeconds), ...flags],
    ]);
  try {
    print(`filling ${tabs * clients} States …`);
    const filled = await recorded(fillRate, fillSeconds, '--keep');
    await recordPopular(pair.serverUrl);
    const prefix = await prefixOf(pair.serverUrl);
    const questions = questionsOf(prefix);
    const calibrations = [calibrationNs()];
    const load = recorded(loadRate, Math.ceil(seconds) + 2);
    // Until it is up.
    await sleep(2000);
    const rows: string[][] = [];
    for (const asked of questions) {
      print(`${asked.name} …`);
      const taken = await askFor(pair.serverUrl, asked, seconds / questions.length);
      const ms = (share: number) => quantile(taken, share).toFixed(1);
      rows.push([asked.name, String(taken.length), ms(0.5), ms(0.99)]);
    }
    const loaded = await load;
    calibrations.push(calibrationNs());
    return {
      columns: ['question', 'answers', 'p50 ms', 'p99 ms'],
      rows,
      calibrationsNs: calibrations,
      ok: [filled, loaded].every(({ lost, wrong_tabs: wrong }) => lost === 0 && wrong.length === 0),
    };
  } finally {
    await pair.stop();
  }
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

/** Of the tabs that were filled: those of the load come and go. */
async function prefixOf(serverUrl: string): Promise<string> {
  const answer = await fetch(`${serverUrl}/names?re=true&name=taba_bench`, {
    headers: { accept: 'application/json' },
  });
  const names = (await answer.json()) as string[];
  return names[0]!.slice(0, names[0]!.lastIndexOf('.'));
}

function questionsOf(prefix: string): readonly Asked[] {
  const like = (route: string, expression: string) =>
    `${route}?${new URLSearchParams({ re: 'true', name: `${prefix.replaceAll('.', '\\.')}\\.${expression}` })}`;
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
