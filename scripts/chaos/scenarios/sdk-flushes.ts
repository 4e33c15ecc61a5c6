import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../process/free-port.js';
import type { ClientReport } from '../load.js';
import { FrameRelay, type Intercept } from '../proxy/frame-relay.js';
import { FlushLink } from './flush-link.js';
import { embeddedServer, spooledAgent, untilHandedOver } from './nodes.js';
import type { Scenario } from './scenario.js';
import { ScriptedProducer } from './scripted-producer.js';
import { SdkApp } from './sdk-app.js';
import type { Actor, Stage } from './stage.js';

const buckets = 8;
const eventsPerFlush = 100;
const passAll: Intercept = (_frame, _way, pass) => pass();

export const sdkFlushes: Scenario = {
  name: 'sdk-flushes',
  number: 13,
  description:
    'an SDK with two flushes in flight and the first delayed; the answer is lost; the agent is restarted with, without, and with a deleted spool',
  async run(stage) {
    const server = await embeddedServer(stage, ['--buckets', String(buckets)]);
    await server.daemon.start();
    const port = await freePort();
    const spool = join(stage.folder, 'spool');
    const spooled = await spooledAgent(stage, 'agent', { servers: [server.url], spool, port });
    const command = ['agent', '--server', server.url, '--flush-interval', '50', '--self-instrument', 'false'];
    const bare = await stage.actor('agent-without-spool', command, { port });
    await spooled.daemon.start();

    const restart = async (from: Actor, to: Actor): Promise<void> => {
      await from.daemon.kill();
      await to.daemon.start();
    };
    const forget = async (): Promise<void> => {
      await untilHandedOver(stage, spooled);
      await spooled.daemon.kill();
      await rm(spool, { recursive: true });
      await spooled.daemon.start();
    };

    const scripted = new ScriptedProducer({ client: 'scripted', buckets, seed: stage.seed });
    await twoInFlight(stage, scripted, {
      url: spooled.url,
      restart: () => restart(spooled, spooled),
      forget,
    });
    await untilHandedOver(stage, spooled);
    await stage.compare(server.url, [scripted.report], 'the server');

    const relay = await FrameRelay.start(() => spooled.url);
    stage.defer(() => relay.close());
    const app = new SdkApp({ client: 'app', url: relay.url, seed: stage.seed });
    stage.defer(() => app.close());
    const unanswered = new Unanswered(stage, relay, app);

    await unanswered.flush('arrives');
    await unanswered.goOn(0, 'the answer is lost with the connection');
    await unanswered.flush('arrives');
    await restart(spooled, spooled);
    await unanswered.goOn(0, 'the answer is lost, and the agent killed and started on its spool');
    await untilHandedOver(stage, spooled);
    await stage.compare(server.url, [scripted.report, app.report], 'the server');

    await unanswered.flush('arrives');
    await forget();
    await unanswered.goOn(eventsPerFlush, 'the answer is lost, and the agent started without its old spool');
    await untilHandedOver(stage, spooled);
    await stage.compare(server.url, [scripted.report, app.report], 'the server');

    await restart(spooled, bare);
    await unanswered.goOn(0, 'an agent without a spool takes the place');
    await unanswered.flush('arrives');
    await untilHandedOver(stage, bare);
    await restart(bare, bare);
    await unanswered.goOn(eventsPerFlush, 'the answer is lost, and the agent without a spool started again');
    await untilHandedOver(stage, bare);
    await stage.compare(server.url, [scripted.report, app.report], 'the server');

    const before = structuredClone(app.report);
    await unanswered.flush('is lost');
    const missing = without(app.report, before);
    await restart(bare, bare);
    await unanswered.goOn(eventsPerFlush, 'the flush is lost, and the agent without a spool started again');
    await untilHandedOver(stage, bare);
    await stage.compare(server.url, [scripted.report, without(app.report, missing)], 'the server');
  },
};

interface Agent {
  readonly url: string;
  /** Killed and started again. */
  readonly restart: () => Promise<void>;
  /** Killed and started again without its spool, when it had handed everything over. */
  readonly forget: () => Promise<void>;
}

/** An SDK that sends a flush before the one before it was answered. */
async function twoInFlight(
  stage: Stage,
  producer: ScriptedProducer,
  { url, restart, forget }: Agent,
): Promise<void> {
  const session = 'c'.repeat(32);
  const flushes = [1, 2, 3].map((number) => {
    const { payload, events } = producer.next(producer.buckets[number]!, eventsPerFlush);
    return { session, number, payload, events };
  });
  const [first, second, third] = [flushes[0]!, flushes[1]!, flushes[2]!];
  let link = await FlushLink.connect(url, 'd'.repeat(32));
  stage.defer(() => link.close());
  const again = async (): Promise<void> => {
    link.close();
    link = await FlushLink.connect(url, 'd'.repeat(32));
  };
  const says = async (flush: typeof first, answer: string, text: string): Promise<void> => {
    const said = await stage.within('an answer', link.push(flush));
    const given = said.kind === 'flush-ack' ? 'taken' : `${said.reason} ${said.expected}`;
    stage.check(given === answer, text, said);
  };
  await says(second, 'gap 1', 'the second of two flushes arrives first: refused, number 1 is due');
  await says(first, 'taken', 'the delayed first one is taken');
  await says(second, 'taken', 'the second one comes again, and is taken');
  await says(first, 'taken', 'a late copy of the first is answered as if it were taken');
  await restart();
  await again();
  await says(second, 'taken', 'so is the second one after the agent was killed and started on its spool');
  await says(third, 'taken', 'the third one is taken');
  await forget();
  await again();
  await says(third, 'gap 1', 'after the spool was deleted, a copy of the third one is refused');
}

/** Flushes of an application whose answers do not arrive. */
class Unanswered {
  readonly #stage: Stage;
  readonly #relay: FrameRelay;
  readonly #app: SdkApp;
  #lost = 0;

  constructor(stage: Stage, relay: FrameRelay, app: SdkApp) {
    this.#stage = stage;
    this.#relay = relay;
    this.#app = app;
  }

  /** Has a flush sent that arrives and is taken, or is lost; its answer never comes. */
  async flush(fate: 'arrives' | 'is lost'): Promise<void> {
    await this.#app.handOver();
    const sent: number[] = [];
    let answered = false;
    this.#relay.intercept = (frame, way, pass) => {
      if (frame.kind === 'push-flush') {
        sent.push(frame.events);
        if (fate === 'arrives') pass();
      } else if (way === 'down' && frame.kind === 'flush-ack') answered = true;
      else pass();
    };
    this.#app.record(eventsPerFlush);
    await this.#stage.until('a flush without an answer', () => {
      return fate === 'arrives' ? answered : sent.length > 0;
    });
    this.#stage.check(
      sent.length === 1 && sent[0] === eventsPerFlush,
      `a flush of ${eventsPerFlush} events ${fate === 'arrives' ? 'is taken, its answer lost' : 'is lost'}`,
      sent,
    );
  }

  /** The network works again. @param lost what the SDK has to count as lost now */
  async goOn(lost: number, text: string): Promise<void> {
    let sent = 0;
    this.#relay.intercept = (frame, _way, pass) => {
      if (frame.kind === 'push-flush' && frame.events === eventsPerFlush) sent++;
      pass();
    };
    this.#relay.cut();
    await this.#app.handOver();
    this.#lost += lost;
    this.#stage.check(
      this.#app.lost === this.#lost && (lost === 0 || sent === 0),
      `${text}: the application is told of ${lost} lost events`,
      { lost: this.#app.lost, expected: this.#lost, sent },
    );
    this.#relay.intercept = passAll;
    this.#app.record(10);
    await this.#app.handOver();
  }
}

/** What was recorded of `report` beyond `other`. */
function without({ client, ledger }: ClientReport, other: ClientReport): ClientReport {
  const less = new Map(other.ledger);
  const rest = ledger.map(([tab, { count, total }]) => {
    const { count: counts = 0, total: totals = 0 } = less.get(tab) ?? {};
    return [tab, { count: count - counts, total: total - totals }] as const;
  });
  return { client, ledger: rest.filter(([, { count }]) => count > 0) };
}
