import { join } from 'node:path';
import { type Client, createClient } from '../../../src/client/index.js';
import type { Block } from '../../../src/core/block.js';
import { Daemon, type LogLine } from '../../process/daemon.js';
import { freePort } from '../../process/free-port.js';
import { json } from '../oracle.js';
import { FrameRelay } from '../proxy/frame-relay.js';
import type { CrashPoint } from './crash-hook.js';
import { embeddedServer, spooledAgent, untilHandedOver } from './nodes.js';
import type { Scenario } from './scenario.js';
import { SdkApp } from './sdk-app.js';
import { type Outcome, ServerLink } from './server-link.js';
import type { Stage } from './stage.js';

/** Every step at which an agent can die, in the order in which they are tried. */
const crashPoints: readonly CrashPoint[] = [
  ...(['accepted', 'sealed', 'settled'] as const).flatMap((kind) =>
    (['before', 'half', 'after'] as const).map((when): CrashPoint => ({ call: 'write', kind, when })),
  ),
  { call: 'open', when: 'after' },
  { call: 'write new', when: 'half' },
  { call: 'fsync', when: 'before' },
  { call: 'rename', when: 'before' },
  { call: 'rename', when: 'after' },
];

/** Gauges with long values, which fill a spool up to where it is compacted. */
const fillers = 600;
const fillerBytes = 1000;
const buckets = 32;
const pushedAtOnce = 100;
const root = join(import.meta.dirname, '../../..');

export const agentKilled: Scenario = {
  name: 'agent-killed',
  number: 10,
  description:
    'an agent is killed at every step of its spool (record, send, acknowledgement, compaction, torn end), answers are lost, old Blocks come late',
  async run(stage) {
    const server = await embeddedServer(stage, ['--buckets', String(buckets)]);
    await server.daemon.start();
    const relay = await FrameRelay.start(() => server.url);
    stage.defer(() => relay.close());
    const sent: Block[] = [];
    let answers = 0;
    let lostAnswers = 0;
    relay.intercept = (frame, way, pass) => {
      if (way === 'up' && frame.kind === 'push-blocks') sent.push(...frame.blocks);
      // Every third answer is lost, as if the agent had been killed before it came.
      if (way === 'down' && frame.kind === 'ack' && ++answers % 3 === 0) {
        lostAnswers++;
        relay.cut();
      } else pass();
    };
    const port = await freePort();
    const spool = join(stage.folder, 'spool');
    const agentUrl = `http://127.0.0.1:${port}`;
    const app = new SdkApp({ client: 'app', url: agentUrl, seed: stage.seed });
    const filler = createClient({ clientId: 'filler', url: agentUrl, flushIntervalMs: 50 });
    stage.defer(() => Promise.all([app.close(), filler.close(0)]));

    const crash = { stage, app, filler, port, spool, server: relay.url };
    for (const point of crashPoints) {
      await crashAt(point, crash);
      if (point.call !== 'write') await compactInPeace(crash);
    }
    stage.check(lostAnswers > 0, `${lostAnswers} frames of acknowledgements were lost`);

    const agent = await spooledAgent(stage, 'agent', { servers: [relay.url], spool, port });
    relay.intercept = (frame, way, pass) => {
      if (way === 'up' && frame.kind === 'push-blocks') sent.push(...frame.blocks);
      pass();
    };
    await agent.daemon.start();
    await app.handOver();
    await untilHandedOver(stage, agent);
    stage.check(app.lost === 0, 'the application was told of no loss', app.lost);
    await stage.compare(server.url, [app.report], 'the server');
    await replay(stage, server.url, sent);
    await stage.compare(server.url, [app.report], 'the server');
  },
};

interface Crash {
  readonly stage: Stage;
  readonly app: SdkApp;
  readonly filler: Client;
  readonly port: number;
  readonly spool: string;
  readonly server: string;
}

/** Runs an agent under load until it has died at `point`. */
async function crashAt(point: CrashPoint, crash: Crash): Promise<void> {
  const { stage, port, spool, server } = crash;
  const log: LogLine[] = [];
  const command = [
    ...[process.execPath, '--import', 'tsx', '--import', join(import.meta.dirname, 'crash-hook.ts')],
    ...[join(root, 'src/main.ts'), 'agent', '--server', server, '--spool', spool, '--port', String(port)],
    ...['--flush-interval', '50', '--self-instrument', 'false', '--log-format', 'json'],
  ];
  const agent = new Daemon('agent', command, {
    env: { ...process.env, TABA_CRASH: JSON.stringify(point) },
    onLog: (line) => log.push(line),
  });
  stage.defer(() => agent.kill());
  // It may die as soon as it works on what its predecessor left.
  await agent.start().catch(() => {});
  await stage.until(`the agent to die ${nameOf(point)}`, () => {
    load(crash, point.call !== 'write');
    return !agent.running;
  });
  stage.check(agent.ending === 'SIGKILL', `the agent was killed ${nameOf(point)}`, {
    ending: agent.ending,
    log: log.slice(-3),
  });
}

function load({ app, filler }: Crash, fill: boolean): void {
  if (app.buffered < 1000) app.record(100);
  if (!fill || filler.status().buffered > 0) return;
  const value = String(Date.now()).padEnd(fillerBytes, '.');
  for (let index = 0; index < fillers; index++) filler.record(`filler${index}`, 'Gauge', value);
}

/** A crash in a compaction leaves a file full of garbage, from which the next compaction would be far off. */
async function compactInPeace(crash: Crash): Promise<void> {
  const { stage, port, spool, server } = crash;
  const agent = await spooledAgent(stage, 'agent', { servers: [server], spool, port });
  await agent.daemon.start();
  await stage.until('a compaction', async () => {
    load(crash, true);
    const { spool: file } = await json<{ readonly spool: { readonly compactions: number } }>(
      `${agent.url}/status`,
    );
    return file.compactions > 0;
  });
  await agent.daemon.kill();
}

function nameOf({ call, kind, when }: CrashPoint): string {
  const step = {
    write: `writing that something was ${kind}`,
    open: 'making the new file of a compaction',
    'write new': 'writing the new file of a compaction',
    fsync: 'the fsync of a compaction',
    rename: 'the rename of a compaction',
  }[call];
  return `${when === 'half' ? 'half-way through' : when} ${step}`;
}

/** Delivers every Block that was ever sent once more. */
async function replay(stage: Stage, url: string, sent: readonly Block[]): Promise<void> {
  const link = await ServerLink.connect(url, 'f'.repeat(32), buckets);
  const answers: Outcome[] = [];
  for (let next = 0; next < sent.length; next += pushedAtOnce) {
    const some = sent.slice(next, next + pushedAtOnce);
    answers.push(...(await Promise.all(some.map((block) => link.push(block)))));
  }
  link.close();
  const repeats = answers.filter((answer) => answer.kind === 'acknowledged' && answer.repeat);
  stage.check(
    repeats.length === sent.length,
    `all ${sent.length} Blocks that were ever sent come once more, and are known as repeats`,
    answers.find((answer) => answer.kind !== 'acknowledged' || !answer.repeat),
  );
}
