import { join } from 'node:path';
import type { Block } from '../../../src/core/block.js';
import { Daemon } from '../../process/daemon.js';
import { freePort } from '../../process/free-port.js';
import { json, nodeStatus, post } from '../oracle.js';
import { FrameRelay } from '../proxy/frame-relay.js';
import { embeddedServer, spooledAgent, untilHandedOver } from './nodes.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';
import { ServerLink } from './server-link.js';
import type { Stage } from './stage.js';

const buckets = 8;
const eventsPerPart = 400;
/** Servers forget a producer after 7 days: the server's clock is set ahead of that. */
const aheadMs = 8 * 24 * 3_600_000;
const root = join(import.meta.dirname, '../../..');

export const forgottenProducer: Scenario = {
  name: 'forgotten-producer',
  number: 12,
  description:
    'acknowledgements are lost, the server forgets the producer, its Blocks come late from a spool, and a new agent works at the same time',
  async run(stage) {
    const port = await freePort();
    const flags = ['--buckets', String(buckets), '--prune-client', '30d'];
    const server = await embeddedServer(stage, flags, { port });
    await server.daemon.start();
    const relay = await FrameRelay.start(() => server.url);
    stage.defer(() => relay.close());
    const counted = new Map<string, Block>();
    let lostAnswers = 0;
    relay.intercept = (frame, way, pass) => {
      if (way === 'up' && frame.kind === 'push-blocks') {
        for (const block of frame.blocks) counted.set(`${block.bucket} ${block.seq}`, block);
      }
      if (way === 'down' && frame.kind === 'ack') lostAnswers += frame.answers.length;
      else pass();
    };

    const old = await spooledAgent(stage, 'old-agent', { servers: [relay.url] });
    await old.daemon.start();
    const app = new SdkApp({ client: 'old-app', url: old.url, seed: stage.seed });
    stage.defer(() => app.close());
    app.record(eventsPerPart);
    await app.handOver();
    await stage.until('acknowledgements to be lost', () => lostAnswers >= buckets);
    relay.refuse();
    relay.cut();
    await stage.compare(server.url, [app.report], 'the server');
    const numbered = [...counted.values()].reduce((sum, { events }) => sum + events, 0);
    stage.check(
      numbered === eventsPerPart && lostAnswers === counted.size,
      `the Blocks of ${numbered} events were counted, and all ${lostAnswers} acknowledgements lost`,
    );
    app.record(eventsPerPart);
    await app.handOver();
    const { open_blocks } = await json<{ readonly open_blocks: number }>(`${old.url}/status`);
    stage.check(open_blocks === counted.size, 'what came since has no number yet', open_blocks);
    await old.daemon.kill();
    stage.did(
      `the agent was killed with these Blocks in its spool, and ${eventsPerPart} events more without a number`,
    );

    await server.daemon.kill();
    const later = await serverAhead(stage, port, flags);
    await later.start();
    const before = await producersOf(server.url);
    await post(`${server.url}/gc`);
    const after = await producersOf(server.url);
    stage.check(
      before === buckets && after === 0,
      'after 8 days the server has forgotten the producer in every bucket',
      { before, after },
    );

    const sent: Block[] = [];
    relay.intercept = (frame, way, pass) => {
      if (way === 'up' && frame.kind === 'push-blocks') sent.push(...frame.blocks);
      pass();
    };
    relay.accept();
    const fresh = await spooledAgent(stage, 'new-agent', { servers: [relay.url] });
    await fresh.daemon.start();
    const freshApp = new SdkApp({ client: 'new-app', url: fresh.url, seed: stage.seed + 1 });
    stage.defer(() => freshApp.close());
    freshApp.record(eventsPerPart);
    await Promise.all([old.daemon.start(), freshApp.handOver()]);
    freshApp.record(eventsPerPart);
    await freshApp.handOver();
    await untilHandedOver(stage, fresh);
    const empty = async () => (await nodeStatus(old.url)).books.buffered === 0;
    await stage.until('the old agent to be done with its spool', empty);
    const again = sent.filter(({ bucket, seq, producer }) => {
      return counted.get(`${bucket} ${seq}`)?.producer === producer;
    });
    stage.check(again.length >= counted.size, `${again.length} Blocks came late from the spool`);
    const { books } = await nodeStatus(old.url);
    stage.check(
      books.balance === 0 && JSON.stringify(books.dropped) === JSON.stringify({ fate_unknown: numbered }),
      `the old agent reports its ${numbered} numbered events as of unknown fate, and nothing else`,
      books,
    );
    stage.check(app.lost + freshApp.lost === 0, 'the applications were told of no loss');
    const reports = [app.report, freshApp.report];
    await stage.compare(server.url, reports, 'the server');

    const link = await ServerLink.connect(server.url, 'f'.repeat(32), buckets);
    const answers = await stage.within(
      'answers',
      Promise.all([...counted.values()].map((block) => link.push(block))),
    );
    link.close();
    stage.check(
      answers.every(({ kind }) => kind === 'unknown_producer'),
      'late copies of the Blocks are refused, their producer being unknown',
      answers,
    );
    await later.kill();
    await later.start();
    await stage.compare(server.url, reports, 'the server, killed and started,');
  },
};

/** The same server, on the same port and folder, with its clock ahead. */
async function serverAhead(stage: Stage, port: number, flags: readonly string[]): Promise<Daemon> {
  const command = [
    ...[process.execPath, '--import', 'tsx', '--import', join(import.meta.dirname, 'clock-hook.ts')],
    ...[join(root, 'src/main.ts'), 'server', '--data', join(stage.folder, 'data'), '--port', String(port)],
    ...['--self-instrument', 'false', '--log-format', 'json', ...flags],
  ];
  const daemon = new Daemon('server-ahead', command, {
    env: { ...process.env, TABA_CLOCK_AHEAD_MS: String(aheadMs) },
    logFile: join(stage.folder, 'server-ahead.log'),
  });
  stage.defer(() => daemon.kill());
  return daemon;
}

async function producersOf(url: string): Promise<number> {
  return (await json<{ readonly producers: number }>(`${url}/status`)).producers;
}
