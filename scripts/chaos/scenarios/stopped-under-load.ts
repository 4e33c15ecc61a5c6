import { setTimeout as pause } from 'node:timers/promises';
import { json, nodeStatus } from '../oracle.js';
import type { Exchange } from '../proxy/redis-exchange.js';
import { SeededRandom } from '../random.js';
import { spooledAgent, untilHandedOver } from './nodes.js';
import { bucketCount, redisServer, redisShards, runs, type ViewingServer } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';
import type { Actor, Stage } from './stage.js';

const tickMs = 10;
const eventsPerTick = 20;
/** Nothing passes for so long, then everything for so long. */
const slowMs = 200;
const backDeadlineMs = 60_000;

export const stoppedUnderLoad: Scenario = {
  name: 'stopped-under-load',
  number: 15,
  description:
    'SIGTERM under load with a slow store; SIGKILL in the middle of the drain; all be killed and restarted at once',
  async run(stage) {
    const random = new SeededRandom(stage.seed);
    const redis = await redisShards(stage);
    const one = await redisServer(stage, 'be1', redis);
    const two = await redisServer(stage, 'be2', redis);
    await Promise.all([one.daemon.start(), two.daemon.start()]);
    const agent = await spooledAgent(stage, 'agent', { servers: [one.url, two.url] });
    await agent.daemon.start();
    const app = new SdkApp({ client: 'app', url: agent.url, seed: stage.seed });
    stage.defer(() => app.close());
    const recording = setInterval(() => app.record(eventsPerTick), tickMs);
    stage.defer(() => clearInterval(recording));
    await owning(stage, one);
    await owning(stage, two);

    const slow = new SlowStore(one);
    stage.defer(() => slow.end());
    await stage.until('appends on the slow store', () => slow.pauses > 2 && unanswered(one) > 0);
    const before = appended(one);
    const code = await one.daemon.stop();
    slow.end();
    stage.check(code === 0, 'be1 is stopped under load while its store is slow, in good order', code);
    const during = appended(one) - before;
    stage.check(
      during > 0 && slow.pauses > 2,
      `the store was slow all the time (${slow.pauses} pauses), and ${during} appends were under way when it stopped`,
    );
    await owning(stage, two, bucketCount);

    await one.daemon.start();
    await owning(stage, one);
    await holdAppends(stage, [one]);
    const ended = one.daemon.stop();
    await stage.until('be1 to begin its drain', () => {
      return one.log.filter(({ event }) => event === 'stopping').length === 2;
    });
    await pause(random.integer(0, 400));
    stage.check(one.daemon.running, 'be1 is in the middle of its drain, and its store answers nothing');
    await one.daemon.kill();
    await ended;
    stage.check(one.daemon.ending === 'SIGKILL', 'be1 is killed in the middle of its drain');
    one.view.release();
    await owning(stage, two, bucketCount);

    await one.daemon.start();
    await owning(stage, one);
    await holdAppends(stage, [one, two]);
    const { books } = await nodeStatus(agent.url);
    await Promise.all([one.daemon.kill(), two.daemon.kill()]);
    stage.check(books.buffered > 0, `both be are killed at once, with ${books.buffered} events under way`);
    for (const { view } of [one, two]) view.release();
    await Promise.all([one.daemon.start(), two.daemon.start()]);
    stage.did('both are started at once');
    clearInterval(recording);
    await app.handOver();
    await untilHandedOver(stage, agent, backDeadlineMs);
    stage.check(app.lost === 0, 'the application was told of no loss', app.lost);
    for (const server of [one, two]) await stage.compare(server.url, [app.report], server.name);
  },
};

/** Waits until a server serves so many buckets, or some. */
async function owning(stage: Stage, { name, url }: Actor, buckets = 1): Promise<void> {
  await stage.until(`${name} to serve ${buckets} buckets`, async () => {
    const status = await json<{ readonly buckets: { readonly serving: number } }>(`${url}/status`);
    return status.buckets.serving >= buckets;
  });
}

/** Has Redis answer these servers nothing more, at work as they are, when an append of each is under way. */
async function holdAppends(stage: Stage, servers: readonly ViewingServer[]): Promise<void> {
  const known = servers.map((server) => appends(server).length);
  const later = (holds: (exchange: Exchange) => boolean) => () =>
    servers.every((server, index) => appends(server).slice(known[index]).some(holds));
  await stage.until(
    'each server to append',
    later(({ delivered }) => delivered),
    backDeadlineMs,
  );
  for (const { view } of servers) view.hold();
  await stage.until(
    'an append of each that is not answered',
    later(({ delivered }) => !delivered),
  );
}

function appends({ view }: ViewingServer): Exchange[] {
  return view.exchanges.filter(runs('append'));
}

function unanswered(server: ViewingServer): number {
  return appends(server).filter(({ delivered }) => !delivered).length;
}

function appended(server: ViewingServer): number {
  return appends(server).filter(({ delivered }) => delivered).length;
}

/** Redis answers one server only now and then. */
class SlowStore {
  readonly #server: ViewingServer;
  #timer: NodeJS.Timeout;
  #held = false;
  pauses = 0;

  constructor(server: ViewingServer) {
    this.#server = server;
    this.#timer = setInterval(() => this.#turn(), slowMs);
  }

  #turn(): void {
    this.#held = !this.#held;
    if (!this.#held) this.#server.view.release();
    else {
      this.pauses++;
      this.#server.view.hold();
    }
  }

  /** Idempotent. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#held) this.#turn();
  }
}
