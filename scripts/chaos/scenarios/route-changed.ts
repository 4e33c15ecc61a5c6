import { setTimeout as pause } from 'node:timers/promises';
import type { Block } from '../../../src/core/block.js';
import { json } from '../oracle.js';
import { FrameRelay, type Intercept } from '../proxy/frame-relay.js';
import { SeededRandom } from '../random.js';
import { embeddedServer, spooledAgent, untilHandedOver } from './nodes.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';
import { type Outcome, ServerLink } from './server-link.js';

const buckets = 8;
const tabs = 64;
const maxOpenBlocks = 4;
const outageRounds = 60;
const eventsPerRound = 300;

/** Frames of Blocks that a relay keeps back. */
interface Kept {
  readonly blocks: readonly Block[];
  readonly pass: () => void;
}

export const routeChanged: Scenario = {
  name: 'route-changed',
  number: 11,
  description:
    'a long outage with much merging, then late first copies; a change of route with Blocks in flight, reordered and repeated',
  async run(stage) {
    const random = new SeededRandom(stage.seed);
    const server = await embeddedServer(stage, ['--buckets', String(buckets)]);
    await server.daemon.start();
    const ways = [
      await FrameRelay.start(() => server.url),
      await FrameRelay.start(() => server.url),
    ] as const;
    stage.defer(() => Promise.all(ways.map((way) => way.close())));
    const [first, second] = ways;
    const copies = new Map<string, Block[]>();
    const kept = new Map<FrameRelay, Kept[]>(ways.map((way) => [way, []]));
    let keeps = true;
    const interceptOf =
      (way: FrameRelay): Intercept =>
      (frame, direction, pass) => {
        if (direction === 'down' || frame.kind !== 'push-blocks') return pass();
        for (const block of frame.blocks) {
          copies.set(keyOf(block), [...(copies.get(keyOf(block)) ?? []), block]);
        }
        if (keeps) kept.get(way)!.push({ blocks: frame.blocks, pass });
        else pass();
      };
    for (const way of ways) way.intercept = interceptOf(way);
    const blocksOn = (way: FrameRelay): Block[] => kept.get(way)!.flatMap(({ blocks }) => blocks);

    const agent = await spooledAgent(stage, 'agent', {
      servers: ways.map(({ url }) => url),
      flags: ['--max-open-blocks', String(maxOpenBlocks)],
    });
    await agent.daemon.start();
    const app = new SdkApp({ client: 'app', url: agent.url, seed: stage.seed, tabs });
    stage.defer(() => app.close());
    const link = await ServerLink.connect(server.url, 'f'.repeat(32), buckets);
    stage.defer(() => link.close());
    const deliver = (blocks: readonly Block[]): Promise<Outcome[]> =>
      stage.within('answers', Promise.all(blocks.map((block) => link.push(block))));

    app.record(eventsPerRound);
    await app.handOver();
    const underWay = (): Block[] => ways.flatMap(blocksOn);
    await stage.until('a Block of each bucket to be under way', () => {
      return new Set(underWay().map(({ bucket }) => bucket)).size === buckets;
    });
    for (const way of ways) {
      way.refuse();
      way.cut();
    }
    const firstCopies = underWay();
    stage.did(`${firstCopies.length} Blocks are under way when both ways break`);
    for (let round = 0; round < outageRounds; round++) {
      app.record(eventsPerRound);
      await app.handOver();
    }
    const status = await json<{
      readonly open_blocks: number;
      readonly buffered_pairs: number;
      readonly books: { readonly buffered: number };
    }>(`${agent.url}/status`);
    stage.check(
      status.books.buffered === (outageRounds + 1) * eventsPerRound &&
        status.buffered_pairs <= tabs &&
        status.open_blocks <= maxOpenBlocks * buckets,
      `the agent has merged: ${status.books.buffered} events in ${status.buffered_pairs} pairs and ${status.open_blocks} numbered Blocks`,
      status,
    );
    const early = new Set(random.shuffled(Array.from({ length: buckets }, (_, bucket) => bucket)).slice(4));
    const arrived = await deliver(firstCopies.filter(({ bucket }) => early.has(bucket)));
    stage.check(
      arrived.every((outcome) => outcome.kind === 'acknowledged' && !outcome.repeat),
      `the first copies for ${early.size} buckets arrive, and nobody hears of it`,
      arrived,
    );
    keeps = false;
    for (const way of ways) way.accept();
    await untilHandedOver(stage, agent);
    await stage.compare(server.url, [app.report], 'the server');
    const late = await deliver(firstCopies.filter(({ bucket }) => !early.has(bucket)));
    stage.check(
      late.every((outcome) => outcome.kind === 'acknowledged' && outcome.repeat),
      `${late.length} late first copies are known as repeats`,
      late,
    );
    checkBytes();
    await stage.compare(server.url, [app.report], 'the server');

    keeps = true;
    for (const frames of kept.values()) frames.length = 0;
    await stage.until('several Blocks of one bucket to be in flight on the first way', async () => {
      app.record(20);
      await pause(20);
      const counts = new Map<number, number>();
      for (const { bucket } of blocksOn(first)) counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      return Math.max(0, ...counts.values()) >= 3;
    });
    first.refuse();
    first.cut();
    const left = blocksOn(first);
    await stage.until('the agent to send them on the second way', () => {
      const there = new Set(blocksOn(second).map(keyOf));
      return left.every((block) => there.has(keyOf(block)));
    });
    stage.check(true, `${left.length} Blocks in flight on the first way were sent again on the second`);
    const backwards = left.toSorted((a, b) => b.seq - a.seq);
    const outcomes = await deliver([...backwards, ...random.shuffled([...left, ...left])]);
    const kinds = new Set(
      outcomes.map((outcome) =>
        outcome.kind === 'acknowledged' && outcome.repeat ? 'repeat' : outcome.kind,
      ),
    );
    stage.check(
      kinds.has('expects') && kinds.has('repeat') && kinds.has('acknowledged'),
      'those from the first way arrive in disorder and repeatedly: some are taken, some are repeats, some are refused as not yet expected',
      [...kinds],
    );
    keeps = false;
    const frames = kept.get(second)!.splice(0);
    for (const { pass } of random.shuffled([...frames, ...frames])) pass();
    stage.did(`the ${frames.length} frames on the second way arrive in disorder, each twice`);
    first.accept();
    await app.handOver();
    await untilHandedOver(stage, agent);
    checkBytes();
    stage.check(app.lost === 0, 'the application was told of no loss', app.lost);
    await stage.compare(server.url, [app.report], 'the server');

    function checkBytes(): void {
      const repeated = [...copies.values()].filter((all) => all.length > 1);
      const same = repeated.every(([one, ...others]) =>
        others.every(({ payload }) => Buffer.compare(payload, one!.payload) === 0),
      );
      stage.check(
        same && repeated.length > 0,
        `${repeated.length} Blocks were sent more than once, each with the same bytes`,
      );
    }
  },
};

function keyOf({ bucket, producer, seq }: Block): string {
  return `${producer} ${bucket} ${seq}`;
}
