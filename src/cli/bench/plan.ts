/** What a run of `taba bench` records; the same in every process that takes part. */
export interface Plan {
  /** Begins the names of the tabs. */
  readonly prefix: string;
  readonly tabs: number;
  readonly type: BenchType;
  readonly clients: number;
  /** Popular tabs get most of the events, as in life, instead of all tabs as many. */
  readonly zipf: boolean;
}

/** Types whose renderings show a count and a total. */
export const benchTypes = ['CounterGroup', 'PercentileGroup', 'TotalsCounter'] as const;
export type BenchType = (typeof benchTypes)[number];

/** The order in which a client records, over and over: event `i` goes to tab `tabs[i]` with the amount `amountOf(round, i)`. */
export interface Round {
  readonly tabs: Uint32Array;
  /** Repeated over the round: fewer of them, so that they leave the caches of a core to what is measured. A power of two. */
  readonly amounts: Float64Array;
}

export interface Figures {
  readonly count: number;
  readonly total: number;
}

const eventsPerRound = 2 ** 17;
const amountsPerRound = 2 ** 12;
/** Between tabs that have their turn one after the other: a prime, larger than any number of tabs. */
const stride = 1_000_003;

export function amountOf({ amounts }: Round, event: number): number {
  return amounts[event & (amounts.length - 1)]!;
}

export function tabName({ prefix }: Plan, tab: number): string {
  return `${prefix}.${tab}`;
}

export function clientName(client: number): string {
  return `bench-${client}`;
}

/** Follows from the plan alone. Amounts are eighths, whose sums are exact in any order. */
export function roundOf({ tabs, zipf }: Plan): Round {
  const pick = zipf ? zipfPicker(tabs) : (share: number) => Math.floor(share * tabs);
  // With equal shares every tab has its turn; by popularity the last ones may have none.
  const inTurn = zipf ? 0 : Math.min(tabs, eventsPerRound);
  const round = { tabs: new Uint32Array(eventsPerRound), amounts: new Float64Array(amountsPerRound) };
  const random = randomShares();
  for (let event = 0; event < eventsPerRound; event++) {
    const share = random();
    round.tabs[event] = event < inTurn ? (event * stride) % tabs : pick(share);
    if (event < amountsPerRound) round.amounts[event] = 1 + Math.floor(random() * 400) / 8;
  }
  return round;
}

/** What each tab shows once clients have recorded so many events each. */
export function expectedOf(plan: Plan, eventsOfClients: readonly number[]): Figures[] {
  const round = roundOf(plan);
  const counts = new Float64Array(plan.tabs);
  const totals = new Float64Array(plan.tabs);
  for (let event = 0; event < eventsPerRound; event++) {
    const times = eventsOfClients.reduce((sum, events) => sum + timesOf(event, events), 0);
    counts[round.tabs[event]!]! += times;
    totals[round.tabs[event]!]! += times * amountOf(round, event);
  }
  return Array.from(counts, (count, tab) => ({ count, total: totals[tab]! }));
}

/** How often event `at` of the round was recorded by a client that recorded `events`. */
function timesOf(at: number, events: number): number {
  return Math.max(0, Math.ceil((events - at) / eventsPerRound));
}

/** Tab k (from 0) is chosen in proportion to 1 / (k + 1). */
function zipfPicker(tabs: number): (share: number) => number {
  const upTo = new Float64Array(tabs);
  let sum = 0;
  for (let tab = 0; tab < tabs; tab++) {
    sum += 1 / (tab + 1);
    upTo[tab] = sum;
  }
  return (share) => {
    const wanted = share * sum;
    let low = 0;
    let high = tabs - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Evenly spread over [0, 1), always in the same order: a linear congruential generator (Numerical Recipes' constants). */
function randomShares(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
