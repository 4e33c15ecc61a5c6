import { bitsOf, clients, countOf, type SimEvent, tabs } from './payload.js';
import type { World } from './world.js';

type Fate = 'open' | 'certain' | 'unsure';

/** What was promised about every event, and the judgement at the end. */
export class Ledger {
  readonly #fates = new Map<string, Fate[]>();
  readonly #world: World;
  /** Events that producers said they gave up, by reason. */
  readonly givenUp = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A new event, of which nothing is promised yet. */
  newEvent(): SimEvent | undefined {
    const tab = tabs[this.#world.below(tabs.length)]!;
    const client = clients[this.#world.below(clients.length)]!;
    const fates = this.#fates.get(`${tab} ${client}`) ?? [];
    // Sums of different powers of two are exact below 2^53.
    if (fates.length >= 50) return undefined;
    this.#fates.set(`${tab} ${client}`, fates);
    fates.push('open');
    return { tab, client, bit: fates.length - 1 };
  }

  /** `certain`: accepted, must be counted once. `unsure`: may be counted, once. */
  promise(events: readonly SimEvent[], fate: Fate): void {
    for (const { tab, client, bit } of events) {
      const fates = this.#fates.get(`${tab} ${client}`)!;
      if (fates[bit] !== 'certain') fates[bit] = fate;
    }
  }

  gaveUp(reason: string, events: number): void {
    this.givenUp.set(reason, (this.givenUp.get(reason) ?? 0) + events);
  }

  /** What is wrong with what was counted, in words; '' when all is well. */
  judge(
    read: (tab: string, client: string) => unknown,
    mayLose: 'nothing' | 'what is reported' | 'anything',
  ): string {
    const faults: string[] = [];
    let missing = 0;
    const sums = new Map<string, number>();
    for (const [key, fates] of this.#fates) {
      const [tab, client] = key.split(' ') as [string, string];
      const state = read(tab, client);
      const { count, total } = state === undefined ? { count: 0, total: 0 } : countOf(state);
      sums.set(tab, (sums.get(tab) ?? 0) + count);
      const bits = bitsOf(total);
      if (bits.length !== count) faults.push(`${key}: ${count} counted, but the sum is that of bits ${bits}`);
      for (const bit of bits) if (bit >= fates.length) faults.push(`${key}: event ${bit} never was`);
      const lost = fates.flatMap((fate, bit) => (fate === 'certain' && !bits.includes(bit) ? [bit] : []));
      missing += lost.length;
      if (lost.length > 0 && mayLose === 'nothing')
        faults.push(`${key}: events ${lost} are lost, of ${fates.length}`);
    }
    for (const [tab, sum] of sums) {
      const all = read(tab, '');
      const count = all === undefined ? 0 : countOf(all).count;
      if (count !== sum) faults.push(`${tab}: ${count} over all clients, but ${sum} of the clients`);
    }
    let reported = 0;
    for (const events of this.givenUp.values()) reported += events;
    if (missing > reported && mayLose === 'what is reported')
      faults.push(`${missing} events are lost, but only ${reported} reported`);
    if (mayLose === 'nothing' && reported > 0)
      faults.push(`${reported} events given up: ${JSON.stringify([...this.givenUp])}`);
    return faults.join('; ');
  }
}
