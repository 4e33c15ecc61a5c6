/**
 * Drives real processes of the executable with loads of known numbers, beside the programs that people would use otherwise, and prints
 * what each event cost. Every scenario checks what was counted.
 *
 *   npm run bench                          (what there is)
 *   npm run bench -- statsd
 *   npm run bench -- statsd --seconds 20 --save      (into docs/benchmarks.md)
 */
import { parseArgs } from 'node:util';
import { clusterScenario } from './bench/cluster.js';
import { growthScenario } from './bench/growth.js';
import { idleScenario } from './bench/idle.js';
import { freshnessScenario, missionScenario, rawScenario, sdkScenario } from './bench/load/scenarios.js';
import { microScenario } from './bench/micro/scenario.js';
import { outageScenario } from './bench/outage.js';
import { partsScenario } from './bench/parts/scenario.js';
import { queryScenario } from './bench/query/scenario.js';
import { save } from './bench/report/save.js';
import { asText } from './bench/report/table.js';
import type { Scenario } from './bench/scenario.js';
import { startScenario } from './bench/start.js';
import { statsdScenario, statsdUdpScenario } from './bench/statsd/scenario.js';
import { v1Scenario } from './bench/v1/scenario.js';

const scenarios: Readonly<Record<string, Scenario>> = {
  sdk: sdkScenario,
  mission: missionScenario,
  freshness: freshnessScenario,
  growth: growthScenario,
  raw: rawScenario,
  cluster: clusterScenario,
  parts: partsScenario,
  query: queryScenario,
  idle: idleScenario,
  start: startScenario,
  outage: outageScenario,
  statsd: statsdScenario,
  'statsd-udp': statsdUdpScenario,
  v1: v1Scenario,
  micro: microScenario,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    save: { type: 'boolean', default: false },
  },
});

const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error(`--seconds wants a positive number, not ${values.seconds}`);
const unknown = positionals.find((name) => scenarios[name] === undefined);
if (unknown !== undefined || positionals.length === 0) {
  if (unknown !== undefined) console.error(`no scenario is called ${unknown}`);
  for (const [name, { about }] of Object.entries(scenarios)) console.log(`${name.padEnd(12)} ${about}`);
  process.exitCode = unknown === undefined ? 0 : 2;
}

for (const name of unknown === undefined ? positionals : []) {
  const report = await scenarios[name]!.run({ seconds, print: console.log });
  console.log(`\n${asText(report)}\n`);
  if (!report.ok) process.exitCode = 1;
  if (values.save) await save(name, report);
}
