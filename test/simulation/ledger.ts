import type { BucketIndex, ClientId, TabName } from '../../src/core/ids.js';
import {
  bitsOf,
  bucketOfTab,
  type Counted,
  clients,
  countOf,
  decodeParts,
  type SimEvent,
  tabs,
} from './payload.js';
import type { World } from './world.js';

/**
 * `certain`: accepted, must be counted once. `unsure`: may be counted, once. `open`: nothing is promised yet.
 */
type Fate = 'open' | 'certain' | 'unsure';

interface Tracked {
  readonly client: ClientId;
  fate: Fate;
  /** It was acknowledged to its producer: whoever asks from now on must see it. */
  acknowledged: boolean;
  /** Somebody deletes its tab: it may vanish. */
  deletable: boolean;
}

/** What may be missing at the end. */
export type MayLose = 'nothing' | 'what is reported' | 'anything';

/** What the States of a tab count, by client; '' is the one over all clients. */
export type TabReading = ReadonlyMap<string, Counted>;

/** Sums of different powers of two are exact below 2^53. */
const eventsPerTab = 52;

/** What was promised about every event, and the judgement at the end. */
export class Ledger {
  readonly #events = new Map<TabName, Tracked[]>();
  readonly #world: World;
  /** Deletions under way, or of unknown outcome, by tab. */
  readonly #deletions = new Map<TabName, number>();
  readonly #uncertain: { readonly tab: TabName; readonly bucket: BucketIndex }[] = [];
  /** Events that producers said they gave up, by reason. */
  readonly givenUp = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    for (const tab of tabs) this.#events.set(tab, []);
  }

  /** A new event, of which nothing is promised yet. */
  newEvent(): SimEvent | undefined {
    const tab = tabs[this.#world.below(tabs.length)]!;
    const client = clients[this.#world.below(clients.length)]!;
    const events = this.#events.get(tab)!;
    if (events.length >= eventsPerTab) return undefined;
    const deletable = (this.#deletions.get(tab) ?? 0) > 0;
    events.push({ client, fate: 'open', acknowledged: false, deletable });
    return { tab, client, bit: events.length - 1 };
  }

  promise(events: readonly SimEvent[], fate: Fate): void {
    for (const { tab, bit } of events) {
      const event = this.#events.get(tab)![bit]!;
      if (event.fate !== 'certain') event.fate = fate;
    }
  }

  gaveUp(reason: string, events: number): void {
    if (events > 0) this.givenUp.set(reason, (this.givenUp.get(reason) ?? 0) + events);
  }

  get reported(): number {
    let reported = 0;
    for (const events of this.givenUp.values()) reported += events;
    return reported;
  }

  /** Whatever is and comes in of these tabs may vanish, until `deletionEnded`. */
  deletionBegins(deleted: readonly TabName[]): void {
    for (const tab of deleted) {
      this.#deletions.set(tab, (this.#deletions.get(tab) ?? 0) + 1);
      for (const event of this.#events.get(tab)!) event.deletable = true;
    }
  }

  /** @param known whether it is done, or will not be: otherwise it may still come, until the bucket is fenced */
  deletionEnds(tab: TabName, known: boolean): void {
    if (known) this.#deletions.set(tab, this.#deletions.get(tab)! - 1);
    else this.#uncertain.push({ tab, bucket: bucketOfTab(tab) });
  }

  /** The bucket has a new head: what was issued under another does not come any more. */
  fenced(bucket: BucketIndex): void {
    for (let at = this.#uncertain.length - 1; at >= 0; at--) {
      const { tab, bucket: its } = this.#uncertain[at]!;
      if (its !== bucket) continue;
      this.#uncertain.splice(at, 1);
      this.deletionEnds(tab, true);
    }
  }

  /** Their producer knows that these are counted. */
  acknowledged(payload: Uint8Array): void {
    for (const { tab, state } of decodeParts(payload).entries()) {
      for (const bit of bitsOf(countOf(state).total)) this.#events.get(tab)![bit]!.acknowledged = true;
    }
  }

  /** What a query that begins now must show, as bits by tab. */
  visible(tab: TabName): number[] {
    return this.#events
      .get(tab)!
      .flatMap(({ acknowledged, deletable }, bit) => (acknowledged && !deletable ? [bit] : []));
  }

  /** Somebody saw these: they cannot vanish any more. */
  shown(tab: TabName, bits: readonly number[]): void {
    this.promise(
      bits.flatMap((bit) => {
        const event = this.#events.get(tab)![bit];
        return event === undefined ? [] : [{ tab, client: event.client, bit }];
      }),
      'certain',
    );
  }

  /** What is wrong with what was counted, in words; '' when all is well. */
  judge(read: (tab: TabName) => TabReading, mayLose: MayLose): string {
    const faults: string[] = [];
    const missing: string[] = [];
    for (const [tab, events] of this.#events) {
      const states = read(tab);
      const counted = this.#counted(tab, events, states, faults);
      const lost: number[] = [];
      for (const [bit, { fate, deletable }] of events.entries()) {
        if (fate === 'certain' && !deletable && !counted.has(bit)) lost.push(bit);
      }
      missing.push(...lost.map((bit) => `${tab} ${bit}`));
      if (lost.length > 0 && mayLose === 'nothing')
        faults.push(`${tab}: events ${lost} are lost, of ${events.length}`);
    }
    const { reported } = this;
    if (missing.length > reported && mayLose === 'what is reported')
      faults.push(`lost are ${missing.join(', ')}, but only ${reported} are reported`);
    if (mayLose === 'nothing' && reported > 0)
      faults.push(`${reported} events given up: ${JSON.stringify([...this.givenUp])}`);
    return faults.join('; ');
  }

  /** Which events the States of a tab count. */
  #counted(
    tab: TabName,
    events: readonly Tracked[],
    states: TabReading,
    faults: string[],
  ): ReadonlySet<number> {
    const counted = new Set<number>();
    const shown = new Set<number>();
    for (const [owner, { count, total }] of states) {
      const bits = bitsOf(total);
      if (bits.length !== count)
        faults.push(`${tab} ${owner}: ${count} counted, but the sum is that of bits ${bits}`);
      for (const bit of bits) {
        const { client } = events[bit] ?? {};
        if (client === undefined) faults.push(`${tab} ${owner}: event ${bit} never was`);
        else if (clients.includes(owner as ClientId) && owner !== client)
          faults.push(`${tab} ${owner}: event ${bit} is one of ${client}`);
        if (owner === '') shown.add(bit);
        else if (counted.has(bit)) faults.push(`${tab} ${owner}: event ${bit} is counted elsewhere as well`);
        else counted.add(bit);
      }
    }
    for (const bit of counted) if (!shown.has(bit)) faults.push(`${tab}: event ${bit} is not in the sum`);
    for (const bit of shown) if (!counted.has(bit)) faults.push(`${tab}: event ${bit} is in the sum alone`);
    return counted;
  }
}
