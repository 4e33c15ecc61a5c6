import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../random.js';
import type { FaultKind, PlannedFault } from './fault.js';
import type { ChaosSystem } from './system.js';

/** Between the beginnings of two faults: they may overlap, as real ones do. */
const spacingMs = [2000, 9000] as const;

export interface ScheduleOptions {
  readonly kinds: readonly FaultKind[];
  readonly random: SeededRandom;
  readonly durationMs: number;
  /** Faults with other names are left out. */
  readonly only: RegExp;
  readonly tell: (line: string) => void;
}

/**
 * Faults one after another, dealt from a shuffled deck of all kinds so that none is left out: which ones, with which
 * victims, depends on the seed alone. One that locks what an earlier one is still hitting waits for its turn, while the
 * others go on.
 *
 * @returns those that were done, when all have been undone
 * @throws when one could not be done or undone
 */
export async function injectFaults(system: ChaosSystem, options: ScheduleOptions): Promise<PlannedFault[]> {
  const { kinds, random, durationMs, only, tell } = options;
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
  let deck: FaultKind[] = [];
  while (performance.now() < endMs && !failed.signal.aborted) {
    if (deck.length === 0) deck = random.shuffled(kinds);
    const fault = deck.pop()!(random);
    if (!only.test(fault.name)) {
      // Others have their turn: an expression that no fault matches makes a run without any.
      await pause(1);
      continue;
    }
    const injected = inject(
      fault,
      fault.locks.map((lock) => turns.get(lock)),
    );
    for (const lock of fault.locks) turns.set(lock, injected);
    all.push(injected);
    await pause(random.integer(...spacingMs));
  }
  await Promise.all(all);
  failed.signal.throwIfAborted();
  return done;
}
