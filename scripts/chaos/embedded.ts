import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildBundle } from '../cluster/program.js';
import { Daemon } from '../process/daemon.js';
import { FaultProxy } from '../process/fault-proxy.js';
import { freePort } from '../process/free-port.js';
import { TemporaryFolder } from '../process/temporary-folder.js';
import type { ProducerOrder, ProducerReport } from './load.js';
import { findMismatches, nodeStatus } from './oracle.js';
import { SeededRandom } from './random.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly durationSec: number;
  readonly clients: number;
  readonly tabs: number;
  /** Over all clients. */
  readonly eventsPerSec: number;
  readonly print: (line: string) => void;
}

/** How long everything may take to arrive once the faults have stopped. */
const settleDeadlineMs = 60_000;

interface System {
  readonly server: Daemon;
  readonly agent: Daemon;
  readonly proxies: readonly FaultProxy[];
}

/** A fault, and what undoes it. */
interface Fault {
  readonly name: string;
  run(system: System, random: SeededRandom): Promise<void>;
}

const faults: readonly Fault[] = [
  { name: 'kill the agent', run: ({ agent }, random) => killAndRestart(agent, random) },
  { name: 'kill the server', run: ({ server }, random) => killAndRestart(server, random) },
  {
    name: 'kill both',
    run: async ({ agent, server }, random) => {
      await Promise.all([agent.kill(), server.kill()]);
      await Promise.all([killAndRestart(agent, random), killAndRestart(server, random)]);
    },
  },
  { name: 'freeze the agent', run: ({ agent }, random) => freeze(agent, random) },
  { name: 'freeze the server', run: ({ server }, random) => freeze(server, random) },
  {
    name: 'stop the server in good order',
    run: async ({ server }) => {
      const code = await server.stop();
      if (code !== 0) throw new Error(`the server ended with ${code} on SIGTERM`);
      await server.start();
    },
  },
  {
    name: 'cut connections',
    run: async ({ proxies }, random) => {
      for (let count = random.integer(1, 5); count > 0; count--) {
        random.pick(proxies).cut();
        await pause(random.integer(10, 300));
      }
    },
  },
  {
    name: 'hold bytes back, then cut',
    run: async ({ proxies }, random) => {
      const proxy = random.pick(proxies);
      proxy.hold();
      await pause(random.integer(200, 3000));
      proxy.cut();
      proxy.release();
    },
  },
];

async function killAndRestart(daemon: Daemon, random: SeededRandom): Promise<void> {
  await daemon.kill();
  await pause(random.integer(0, 1500));
  await daemon.start();
}

async function freeze(daemon: Daemon, random: SeededRandom): Promise<void> {
  daemon.freeze();
  await pause(random.integer(200, 6000));
  daemon.thaw();
}

/** One agent with a spool and one server on the embedded store, faults between and in them. @returns whether all was exact */
export async function runEmbeddedChaos(options: ChaosOptions): Promise<boolean> {
  const { print } = options;
  print(`chaos on the embedded store: seed ${options.seed}, ${options.durationSec} s`);
  const temporary = await TemporaryFolder.create('taba-chaos-');
  const folder = temporary.path;
  const random = new SeededRandom(options.seed);
  const [serverPort, agentPort] = [await freePort(), await freePort()];
  const program = await buildBundle(folder);
  const agentToServer = await FaultProxy.start(() => serverPort);
  const appToAgent = await FaultProxy.start(() => agentPort);
  const appToServer = await FaultProxy.start(() => serverPort);
  const proxies = [agentToServer, appToAgent, appToServer];
  const logFormat = ['--log-format', 'json'];
  const server = new Daemon('server', [
    ...program,
    'server',
    '--port',
    String(serverPort),
    '--data',
    join(folder, 'data'),
    ...logFormat,
  ]);
  const agent = new Daemon('agent', [
    ...program,
    'agent',
    '--port',
    String(agentPort),
    '--server',
    `http://127.0.0.1:${agentToServer.port}`,
    '--spool',
    join(folder, 'spool'),
    ...logFormat,
  ]);
  const producers: ChildProcess[] = [];
  try {
    await server.start();
    await agent.start();
    for (let index = 0; index < options.clients; index++) {
      const keyed = index === options.clients - 1;
      producers.push(
        startProducer(keyed ? 'keyed-producer' : 'sdk-producer', {
          client: `client${index}`,
          url: `http://127.0.0.1:${keyed ? appToServer.port : appToAgent.port}`,
          seed: random.integer(0, 2 ** 31),
          tabs: options.tabs,
          // Bodies of JSON objects are for people: the raw producer has a small share of the load.
          eventsPerSec: keyed ? 500 : options.eventsPerSec / Math.max(1, options.clients - 1),
        }),
      );
    }
    const counts = await injectFaults({ server, agent, proxies }, random, options);
    const reports = await Promise.all(producers.map(finish));
    const agentUrl = `http://127.0.0.1:${agentPort}`;
    const serverUrl = `http://127.0.0.1:${serverPort}`;
    await untilEmpty(agentUrl);
    return await verdict({ agentUrl, serverUrl, reports, counts, print });
  } finally {
    for (const producer of producers) producer.kill('SIGKILL');
    await agent.stop();
    await server.stop();
    for (const proxy of proxies) await proxy.close();
    await temporary.remove();
  }
}

function startProducer(kind: string, order: ProducerOrder): ChildProcess {
  const module = fileURLToPath(new URL(`./${kind}.ts`, import.meta.url));
  return fork(module, [JSON.stringify(order)], { execArgv: ['--import', 'tsx'] });
}

async function finish(producer: ChildProcess): Promise<ProducerReport> {
  if (producer.exitCode !== null) throw new Error(`a producer ended early, with ${producer.exitCode}`);
  const reported = once(producer, 'message');
  const ended = once(producer, 'exit');
  producer.send('stop');
  const first = await Promise.race([reported, ended.then(() => undefined)]);
  if (first === undefined) throw new Error('a producer ended without a report');
  await ended;
  return first[0] as ProducerReport;
}

async function injectFaults(
  system: System,
  random: SeededRandom,
  options: ChaosOptions,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const endMs = performance.now() + options.durationSec * 1000;
  while (performance.now() < endMs) {
    await pause(random.integer(500, 3000));
    const fault = random.pick(faults);
    options.print(`  ${fault.name}`);
    await fault.run(system, random);
    counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
  }
  return counts;
}

async function untilEmpty(agentUrl: string): Promise<void> {
  const deadline = performance.now() + settleDeadlineMs;
  for (;;) {
    const { books } = await nodeStatus(agentUrl);
    if (books.buffered === 0) return;
    if (performance.now() > deadline) {
      throw new Error(
        `no end: the agent still holds ${books.buffered} events ${settleDeadlineMs / 1000} s after the last fault`,
      );
    }
    await pause(200);
  }
}

interface Evidence {
  readonly agentUrl: string;
  readonly serverUrl: string;
  readonly reports: readonly ProducerReport[];
  readonly counts: ReadonlyMap<string, number>;
  readonly print: (line: string) => void;
}

async function verdict({ agentUrl, serverUrl, reports, counts, print }: Evidence): Promise<boolean> {
  const events = reports.reduce((sum, report) => sum + report.events, 0);
  const lost = reports.reduce((sum, report) => sum + report.lost, 0);
  const mismatches = await findMismatches(serverUrl, reports);
  const faultCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
  print(`${events} events from ${reports.length} clients, ${faultCount} faults:`);
  for (const [name, count] of counts) print(`  ${String(count).padStart(4)}  ${name}`);
  for (const { where, expected, found } of mismatches.slice(0, 20)) {
    print(`  WRONG ${where}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  }
  let balanced = true;
  for (const [name, url] of [
    ['agent', agentUrl],
    ['server', serverUrl],
  ] as const) {
    const { books } = await nodeStatus(url);
    if (books.balance !== 0 || Object.keys(books.dropped).length > 0) balanced = false;
    print(`books of the ${name}: ${JSON.stringify(books)}`);
  }
  const passed = mismatches.length === 0 && lost === 0 && balanced;
  print(
    passed
      ? 'PASSED: every count and total is exact, and the books balance'
      : `FAILED: ${mismatches.length} figures wrong, ${lost} events lost by producers, books ${balanced ? 'balance' : 'do not balance'}`,
  );
  return passed;
}
