import { tabsPerTick } from '../../cluster/fleet.js';
import { Producer } from '../../cluster/producers.js';
import type { ClientReport } from '../../load.js';
import { nodeStatus } from '../../oracle.js';
import { ScenarioFailure } from '../scenario.js';
import type { Actor, Stage } from '../stage.js';

export interface SdkLoadOptions {
  readonly agents: readonly Actor[];
  readonly clients: number;
  readonly tabs: number;
  readonly eventsPerSec: number;
  /** In so long every client comes past every tab. */
  readonly roundSec: number;
}

const handOverDeadlineMs = 120_000;

/** Applications with the SDK, in a process of their own, before agents. */
export class SdkLoad {
  readonly #stage: Stage;
  readonly #agents: readonly Actor[];
  readonly #producer: Producer;

  constructor(stage: Stage, { agents, clients, tabs, eventsPerSec, roundSec }: SdkLoadOptions) {
    this.#stage = stage;
    this.#agents = agents;
    this.#producer = new Producer({
      clients: Array.from({ length: clients }, (_, index) => {
        const agent = index % agents.length;
        const firstTab = Math.floor((agent * tabs) / agents.length);
        return { id: `client${String(index).padStart(2, '0')}`, url: agents[agent]!.url, firstTab };
      }),
      tabs,
      tabsPerTick: tabsPerTick(tabs, roundSec),
      eventsPerSec,
      probes: [],
      probeClients: [],
      probePeriodMs: 1000,
    });
    stage.defer(() => this.#producer.kill());
  }

  /** Events recorded, as of about a second ago. */
  get recorded(): number {
    return this.#producer.recorded;
  }

  /** No more events. Waits until the agents have handed everything over. @throws ScenarioFailure for a loss */
  async end(): Promise<readonly ClientReport[]> {
    const { clients, lost, events } = await this.#stage.within(
      'the agents to take everything over',
      this.#producer.finish(),
      handOverDeadlineMs,
    );
    if (Object.keys(lost).length > 0) throw new ScenarioFailure(`the SDK has lost ${JSON.stringify(lost)}`);
    this.#stage.did(`the applications have recorded ${events} events, and were told of no loss`);
    for (const { name, url } of this.#agents) {
      const isEmpty = async (): Promise<boolean> => (await nodeStatus(url)).books.buffered === 0;
      await this.#stage.until(`${name} to hand everything over`, isEmpty, handOverDeadlineMs);
      const { books } = await nodeStatus(url);
      if (books.balance !== 0 || Object.keys(books.dropped).length > 0) {
        throw new ScenarioFailure(`the books of ${name}: ${JSON.stringify(books)}`);
      }
    }
    return clients;
  }
}
