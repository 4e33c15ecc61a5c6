import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Child } from '../../process/child.js';
import { freePort } from '../../process/free-port.js';
import { TemporaryFolder } from '../../process/temporary-folder.js';
import type { StatsdProgram } from './program.js';
import { nameOf, type Traffic, totalOf } from './traffic.js';

const version = '0.9.0';
const flushMs = 1000;

/** A line of the backend below. */
interface Told {
  readonly events: number;
  /** Where it was asked for them. */
  readonly names?: Readonly<Record<string, readonly [count: number, total: number]>>;
}

/** Adds the flushes up, as a backend that stores them would. Tells the number of events after each, and the names on SIGUSR2. */
const backend = `
const names = {};
let events = 0;
const tell = (told) => console.log(JSON.stringify(told));
exports.init = (_start, _config, emitter) => {
  const add = (name, count, total) => {
    if (!name.startsWith('bench.')) return;
    const sum = (names[name] ??= [0, 0]);
    sum[0] += count;
    sum[1] += total;
    events += count;
  };
  emitter.on('flush', (_time, { counters, timers, timer_data: data, timer_counters: counts }) => {
    for (const name in counters) if (counters[name] !== 0) add(name, counters[name], counters[name]);
    for (const name in timers) if (counts[name] > 0) add(name, counts[name], data[name].sum);
    tell({ events });
  });
  process.on('SIGUSR2', () => tell({ events, names }));
  return true;
};
`;

/** Installs the npm package statsd into a temporary folder, and runs it. */
export async function startNpmStatsd({ transport }: Traffic): Promise<StatsdProgram> {
  const folder = await TemporaryFolder.create('taba-bench-statsd-');
  const install = ['install', '--prefix', folder.path, '--omit=optional', '--ignore-scripts'];
  await promisify(execFile)('npm', [...install, '--no-audit', '--no-fund', `statsd@${version}`]);
  const [configFile, backendFile] = [join(folder.path, 'config.js'), join(folder.path, 'backend.js')];
  const [port, address] = [await freePort(), '127.0.0.1'];
  const config = {
    servers: [{ server: `./servers/${transport}`, address, port }],
    ...{ mgmt_port: await freePort(), mgmt_address: address },
    ...{ flushInterval: flushMs, backends: [backendFile] },
  };
  // It reads its configuration by putting a bracket around the text.
  await writeFile(configFile, JSON.stringify(config));
  await writeFile(backendFile, backend);

  let told: Told = { events: -1 };
  const daemon = join(folder.path, 'node_modules/statsd/stats.js');
  const child = new Child('statsd', [process.execPath, daemon, configFile], {
    onLine: (line) => {
      if (line.startsWith('{')) told = JSON.parse(line) as Told;
    },
  });
  await child.spawn();
  const waitFor = async (what: string, condition: () => boolean) => {
    for (const untilMs = Date.now() + 60_000; !condition(); await sleep(10)) {
      if (!child.running || Date.now() > untilMs) throw new Error(`statsd: no ${what}`);
    }
  };
  await waitFor('first flush', () => told.events === 0);
  return {
    name: `npm statsd ${version}`,
    port,
    pids: { statsd: child.pid },
    counted: async () => told.events,
    shown: async (traffic) => {
      told = { events: 0 };
      process.kill(child.pid, 'SIGUSR2');
      await waitFor('answer', () => told.names !== undefined);
      const { events, names } = told;
      const wrong = Array.from({ length: traffic.names }, (_, index) => index).filter((index) => {
        const [count, total] = names![nameOf(index)] ?? [0, 0];
        // It adds the decimals that it read from text as they come: the last bits may differ.
        const expected = totalOf(traffic, index);
        return count !== traffic.rounds || Math.abs(total - expected) > expected * 1e-9;
      });
      return { events, wrongNames: wrong.length, dropped: undefined, received: undefined };
    },
    stop: async () => {
      await child.kill();
      await folder.remove();
    },
  };
}
