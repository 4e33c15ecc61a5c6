import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildExecutable } from '../../cluster/program.js';
import { measured } from '../measured.js';
import { type Result, reportOf } from '../report/results.js';
import { saidBySender } from '../said-by.js';
import type { BenchOptions, Scenario } from '../scenario.js';
import { startNpmStatsd } from './npm-statsd.js';
import type { Shown, StatsdProgram } from './program.js';
import type { SenderOrder, Sent } from './sender.js';
import { startTaba } from './taba.js';
import { eventsOf, type Traffic } from './traffic.js';

/** What is sent, and at most how many events a second each program is expected to bear. */
interface Load extends Pick<Traffic, 'transport' | 'kind' | 'names' | 'single' | 'eventsPerSec'> {
  readonly name: string;
  /** Where it is sent as fast as it is taken: events for each second that the load should last. */
  readonly about: number;
}

const tcp = { transport: 'tcp', single: false, eventsPerSec: 0 } as const;
const udp = { transport: 'udp', kind: 'c', names: 1000, about: 0 } as const;
const tcpLoads: readonly Load[] = [
  { name: 'TCP, counters, 1,000 names', ...tcp, kind: 'c', names: 1000, about: 2_000_000 },
  { name: 'TCP, counters, 16,000 names', ...tcp, kind: 'c', names: 16_000, about: 1_000_000 },
  { name: 'TCP, timers, 1,000 names', ...tcp, kind: 'ms', names: 1000, about: 1_000_000 },
];
const udpLoads: readonly Load[] = [
  { name: 'UDP, full packets, 100,000 events/s', ...udp, single: false, eventsPerSec: 100_000 },
  { name: 'UDP, full packets, 2,000,000 events/s', ...udp, single: false, eventsPerSec: 2_000_000 },
  { name: 'UDP, one metric a packet, 150,000/s', ...udp, single: true, eventsPerSec: 150_000 },
];

export const statsdScenario: Scenario = {
  about: 'StatsD over TCP and UDP into an agent with a server, beside the npm daemon statsd',
  async run(options) {
    const taba = await buildExecutable();
    const results: Result[] = [];
    for (const load of [...tcpLoads, ...udpLoads]) {
      results.push(await resultOf(load, options, () => startTaba(taba)));
      results.push(await resultOf(load, options, startNpmStatsd));
    }
    return reportOf(results);
  },
};

/** Short, for whoever works on the receiver. */
export const statsdUdpScenario: Scenario = {
  about: 'StatsD over UDP alone, into an agent with a server',
  async run(options) {
    const taba = await buildExecutable();
    const results: Result[] = [];
    for (const load of udpLoads) results.push(await resultOf(load, options, () => startTaba(taba)));
    return reportOf(results);
  },
};

async function resultOf(
  load: Load,
  { seconds, print }: BenchOptions,
  start: (traffic: Traffic) => Promise<StatsdProgram>,
): Promise<Result> {
  const events = (load.eventsPerSec || load.about) * seconds;
  const { transport, kind, names, single, eventsPerSec } = load;
  const rounds = Math.max(1, Math.round(events / names));
  const traffic: Traffic = { transport, kind, names, single, eventsPerSec, rounds };
  const program = await start(traffic);
  try {
    print(`${load.name}: ${eventsOf(traffic).toLocaleString('en')} events to ${program.name} …`);
    const { outcome, used, calibrationNs } = await measured(program.pids, () => send(program, traffic));
    const shown = await program.shown(traffic);
    return {
      ...{ load: load.name, program: program.name, seconds: outcome.seconds, used, calibrationNs },
      ...{ sent: eventsOf(traffic), shown: shown.events, ...verdict(traffic, outcome.packets, shown) },
    };
  } finally {
    await program.stop();
  }
}

/** What arrives of a datagram is counted whole, and what does not is known. */
function verdict(
  traffic: Traffic,
  packets: number,
  { events, wrongNames, received, dropped }: Shown,
): Pick<Result, 'exact' | 'toldLoss'> {
  const sent = eventsOf(traffic);
  if (events === sent) return { exact: wrongNames === 0 ? true : `${wrongNames} names are wrong` };
  if (events > sent) return { exact: `${events - sent} too many` };
  const percent = (((sent - events) / sent) * 100).toFixed(1);
  if (received === undefined || dropped === undefined) return { exact: `lost ${percent} % without a word` };
  if (received + dropped !== packets) {
    return { exact: `${received} datagrams received, ${dropped} dropped, ${packets} sent` };
  }
  return dropped > 0
    ? { exact: `all but ${dropped} datagrams, which it says`, toldLoss: true }
    : { exact: `lost ${percent} %` };
}

/** @returns once everything is counted, or nothing more comes: how long that took, and how many packets were sent */
async function send(program: StatsdProgram, traffic: Traffic): Promise<{ seconds: number; packets: number }> {
  const begun = performance.now();
  const order: SenderOrder = { port: program.port, traffic };
  const { packets } = await saidBySender<Sent>(join(import.meta.dirname, 'sender.ts'), order);
  const expected = eventsOf(traffic);
  // Over UDP the rest may never come: done once three seconds bring nothing, which are not counted.
  let counted = await program.counted();
  let last = performance.now();
  while (counted < expected && performance.now() - last < 3000) {
    await sleep(20);
    const now = await program.counted();
    if (now > counted) last = performance.now();
    counted = now;
  }
  return { seconds: (last - begun) / 1000, packets };
}
