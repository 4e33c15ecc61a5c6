import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../random.js';
import type { FaultKind, PlannedFault } from './fault.js';
import { dealingOrder, faultDecks } from './faults.js';
import type { ChaosSystem } from './system.js';

/** Between the beginnings of two faults: they may overlap, as real ones do. */
const spacingMs = [2000, 9000] as const;

export interface ScheduleOptions {
  readonly random: SeededRandom;
  readonly durationMs: number;
  /** Faults with other names are left out. */
  readonly only: RegExp;
  readonly tell: (line: string) => void;
}

/** A deck of kinds of faults: shuffled, dealt out, shuffled again, so that none is left out. */
class Deck {
  readonly #kinds: readonly FaultKind[];
  readonly #random: SeededRandom;
  #rest: FaultKind[] = [];

  constructor(kinds: readonly FaultKind[], random: SeededRandom) {
    this.#kinds = kinds;
    this.#random = random;
  }

  deal(): PlannedFault {
    if (this.#rest.length === 0) this.#rest = this.#random.shuffled(this.#kinds);
    return this.#rest.pop()!(this.#random);
  }
}

/**
 * Faults one after another, dealt from the decks: which ones, with which victims, depends on the seed alone. One that
 * locks what an earlier one is still hitting waits for its turn, while the others go on.
 *
 * @returns those that were done, when all have been undone
 * @throws when one could not be done or undone
 */
export async function injectFaults(system: ChaosSystem, options: ScheduleOptions): Promise<PlannedFault[]> {
  const { random, durationMs, only, tell } = options;
  const endMs = performance.now() + durationMs;
  const turns = new Map<string, Promise<void>>();
  const done: PlannedFault[] = [];
  const failed = new AbortController();

  const inject = async (fault: PlannedFault, earlier: readonly (Promise<void> | undefined)[]) => {
    await Promise.all(earlier);
    if (performance.now() >= endMs || failed.signal.aborted) return;
    tell(fault.name);
    done.push(fault);
    try {
      await fault.run(system, tell);
    } catch (error) {
      failed.abort(new Error(`${fault.name}: ${(error as Error).message}`));
    }
  };

  const all: Promise<void>[] = [];
  const decks = {
    nodes: new Deck(faultDecks.nodes, random),
    network: new Deck(faultDecks.network, random),
    redis: new Deck(faultDecks.redis, random),
  };
  for (let dealt = 0; performance.now() < endMs && !failed.signal.aborted; dealt++) {
    const fault = decks[dealingOrder[dealt % dealingOrder.length]!].deal();
    if (!only.test(fault.name)) {
      // Others have their turn: an expression that no fault matches makes a run without any.
      await pause(1);
      continue;
    }
    const injected = inject(
      fault,
      fault.locks.map((lock) => turns.get(lock)),
    );
    const over = injected.then(() => fault.recovered?.(system));
    for (const lock of fault.locks) turns.set(lock, over);
    all.push(injected);
    await pause(random.integer(...spacingMs));
  }
  await Promise.all(all);
  failed.signal.throwIfAborted();
  return done;
}
