import type { Block } from '../../../src/core/block.js';
import { bucketOf } from '../../../src/core/buckets.js';
import type { TabName } from '../../../src/core/ids.js';
import { type ClientReport, type Ledger, nextEvent } from '../load.js';
import { FrameRelay } from '../proxy/frame-relay.js';
import { SeededRandom } from '../random.js';
import { bucketCount, redisServer, redisShards } from './redis-servers.js';
import type { Scenario } from './scenario.js';
import { ServerLink } from './server-link.js';
import type { Actor, Stage } from './stage.js';

const tabs = 64;
const eventsPerBody = 200;
const client = 'poster';

export const rawPost: Scenario = {
  name: 'raw-post',
  number: 14,
  description:
    'the fe that took a raw POST over several buckets is killed half-way, without and with an Idempotency-Key',
  async run(stage) {
    const redis = await redisShards(stage);
    const relay: FrameRelay = await FrameRelay.start(() => owner.url);
    stage.defer(() => relay.close());
    const owner: Actor = await redisServer(stage, 'be', redis, { roles: 'be', advertise: relay.port });
    await owner.daemon.start();
    const front = await redisServer(stage, 'fe', redis, { roles: 'fe' });
    const random = new SeededRandom(stage.seed);
    const counted: Ledger = new Map();
    const report = (): ClientReport => ({ client, ledger: [...counted] });
    const half = new Set(
      random.shuffled(Array.from({ length: bucketCount }, (_, bucket) => bucket)).slice(bucketCount / 2),
    );

    await front.daemon.start();
    const whole = new Body(random);
    await stage.until('a POST to be taken', async () => (await whole.post(front.url)) === 200);
    whole.enter(counted);
    await stage.compare(owner.url, [report()], 'be');

    const plain = new Body(random);
    await killHalfway(stage, { front, owner, relay, half }, () => plain.post(front.url));
    plain.enter(counted, half);
    await stage.compare(owner.url, [report()], 'be');
    await front.daemon.start();
    stage.check((await plain.post(front.url)) === 200, 'the body without a key comes again, and is taken');
    plain.enter(counted);
    stage.did('it is at least once without a key: what had arrived is counted again, and the rest once');
    await stage.compare(owner.url, [report()], 'be');

    const keyed = new Body(random);
    const key = `key-${stage.seed}`;
    await killHalfway(stage, { front, owner, relay, half }, () => keyed.post(front.url, key));
    const partly = new Map([...counted].map(([tab, tally]) => [tab, { ...tally }]));
    keyed.enter(partly, half);
    await stage.compare(owner.url, [{ client, ledger: [...partly] }], 'be');
    await front.daemon.start();
    keyed.enter(counted);
    for (const [url, who] of [
      [front.url, 'fe'],
      [front.url, 'fe once more'],
      [owner.url, 'be'],
    ] as const) {
      const status = await keyed.post(url, key);
      stage.check(status === 200, `the body with a key comes again to ${who}, and is answered 200`, status);
      await stage.compare(owner.url, [report()], 'be');
    }
  },
};

interface Cast {
  readonly front: Actor;
  readonly owner: Actor;
  readonly relay: FrameRelay;
  /** Buckets whose Block arrives. */
  readonly half: ReadonlySet<number>;
}

/** Kills the fe when the Blocks for half of the buckets have been counted, and none of the others has arrived. */
async function killHalfway(
  stage: Stage,
  { front, owner, relay, half }: Cast,
  post: () => Promise<number>,
): Promise<void> {
  const blocks = new Map<number, Block>();
  relay.intercept = (frame, way, pass) => {
    if (way === 'down' || frame.kind !== 'push-blocks') return pass();
    for (const block of frame.blocks) blocks.set(block.bucket, block);
  };
  const answered = post().catch(() => undefined);
  await stage.until('a Block for each bucket', () => blocks.size === bucketCount);
  const link = await ServerLink.connect(owner.url, 'f'.repeat(32), bucketCount);
  const arrived = [...blocks.values()].filter(({ bucket }) => half.has(bucket));
  const outcomes = await stage.within('answers', Promise.all(arrived.map((block) => link.push(block))));
  link.close();
  stage.check(
    outcomes.every((outcome) => outcome.kind === 'acknowledged' && !outcome.repeat),
    `of the Blocks for ${blocks.size} buckets ${arrived.length} have been counted, and the others not arrived`,
    outcomes,
  );
  await front.daemon.kill();
  stage.check((await answered) === undefined, 'the fe is killed before it answers');
  relay.intercept = (_frame, _way, pass) => pass();
}

/** Events over all buckets in one JSON body, and what they come to. */
class Body {
  readonly #text: string;
  readonly #ledger: Ledger = new Map();

  constructor(random: SeededRandom) {
    const items = Array.from({ length: eventsPerBody }, () => {
      const { tab, type, value } = nextEvent(random, tabs, this.#ledger);
      return { name: tab, type, value, client, timestamp: Date.now() / 1000 };
    });
    this.#text = JSON.stringify(items);
  }

  /** @returns the status. @throws where no answer came */
  async post(url: string, key?: string): Promise<number> {
    const answer = await fetch(`${url}/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      body: this.#text,
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Adds what it comes to, in all buckets or in some. */
  enter(ledger: Ledger, buckets?: ReadonlySet<number>): void {
    for (const [tab, { count, total }] of this.#ledger) {
      if (buckets?.has(bucketOf(tab as TabName, bucketCount)) === false) continue;
      const known = ledger.get(tab) ?? { count: 0, total: 0 };
      ledger.set(tab, { count: known.count + count, total: known.total + total });
    }
  }
}
