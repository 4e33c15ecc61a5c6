import { setTimeout as pause } from 'node:timers/promises';
import { json, nodeStatus } from '../../oracle.js';
import { SeededRandom } from '../../random.js';
import type { Scenario } from '../scenario.js';
import { MeasuredCluster } from './cluster.js';
import { checkExact } from './exact.js';
import { MemoryWatch } from './memory-watch.js';
import { SdkLoad } from './sdk-load.js';

const clients = 20;
const tabs = 5000;
const eventsPerSec = 20_000;
const roundSec = 30;
const withoutOwnerSec = 90;
/** Of 50,000 pairs that come to each agent, the second may hold so many: its applications keep the others. */
const smallPairs = 10_000;
/** 50,000 pairs with all the cells that a minute and a half fills, and the heap around them. */
const allowedBytes = 320 * 2 ** 20;
const mib = 2 ** 20;

interface Waiting {
  readonly waiting_for: string | null;
  readonly buffered_pairs?: number;
}

export const noOwner: Scenario = {
  name: 'no-owner',
  description:
    'no be at all for 90 s under load: agents and fe keep what they have in bounded memory, and say what they wait for',
  async run(stage) {
    const cluster = await MeasuredCluster.start(stage);
    const entrances = await cluster.servers('fe', 2);
    const agents = await cluster.agents(entrances, 2, (index) =>
      index === 1 ? ['--max-buffered-pairs', String(smallPairs)] : [],
    );
    const waiters = [...agents, ...entrances];
    const memory = new MemoryWatch(stage, waiters);
    const load = new SdkLoad(stage, { agents, clients, tabs, eventsPerSec, roundSec });
    await pause(withoutOwnerSec * 1000 + new SeededRandom(stage.seed).integer(0, 2000));
    stage.did(`for ${withoutOwnerSec} s there was no be, and load: ${load.recorded} events`);
    for (const waiter of waiters) {
      const { waiting_for, buffered_pairs = 0 } = await json<Waiting>(`${waiter.url}/status`);
      const { books } = await nodeStatus(waiter.url);
      const missing = agents.includes(waiter) ? 'servers to take what they refuse' : 'a server with role be';
      stage.check(
        waiting_for?.includes(missing) === true,
        `${waiter.name} says that it waits for ${waiting_for}; it holds ${books.buffered} events in ${buffered_pairs} pairs`,
        waiting_for,
      );
      if (waiter !== agents[1]) continue;
      stage.check(
        buffered_pairs > smallPairs / 2 && buffered_pairs <= smallPairs,
        `${waiter.name} holds no more than the ${smallPairs} pairs it may`,
        buffered_pairs,
      );
    }
    for (const { url, name } of entrances) {
      const answer = await fetch(`${url}/events`, { method: 'POST', body: '{"name":"chaos.raw","value":1}' });
      const text = await answer.text();
      stage.check(
        answer.status === 503,
        `${name} refuses raw events: ${answer.status} ${text.trim()}`,
        answer.status,
      );
    }
    for (const { name, mostBytes } of memory.rows) {
      stage.check(
        mostBytes <= allowedBytes,
        `${name} holds ${(mostBytes / mib).toFixed(0)} MiB at most; ${allowedBytes / mib} MiB are allowed`,
      );
    }
    const [owner] = await cluster.servers('be', 1);
    const startedAtMs = performance.now();
    stage.did('the first be is started');
    const reports = await load.end();
    stage.did(
      `it has everything ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s after it was ready`,
    );
    memory.tell(stage);
    await cluster.balanced(entrances[0]!, [owner!]);
    for (const { name, url } of waiters) {
      const { waiting_for } = await json<Waiting>(`${url}/status`);
      stage.check(waiting_for === null, `${name} waits for nothing any more`, waiting_for);
    }
    await checkExact(stage, entrances[1]!, reports);
  },
};
