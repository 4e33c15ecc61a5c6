import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../random.js';
import type { FaultKind, PlannedFault } from './fault.js';
import type { ChaosSystem } from './system.js';

/** Between the beginnings of two faults: they may overlap, as real ones do. */
const spacingMs = [1000, 6000] as const;

export interface ScheduleOptions {
  readonly kinds: readonly FaultKind[];
  readonly random: SeededRandom;
  readonly durationMs: number;
  readonly tell: (line: string) => void;
}

/**
 * Faults one after another, dealt from a shuffled deck of all kinds so that none is left out. The order depends on the seed
 * alone. A fault waits until nothing that it locks is being hit by an earlier one, and may otherwise overlap with it.
 *
 * @returns those that were done, when all have been undone
 * @throws when one could not be done or undone
 */
export async function injectFaults(system: ChaosSystem, options: ScheduleOptions): Promise<PlannedFault[]> {
  const { kinds, random, durationMs, tell } = options;
  const endMs = performance.now() + durationMs;
  const busy = new Map<string, Promise<void>>();
  const running: Promise<void>[] = [];
  const done: PlannedFault[] = [];
  const failed = new AbortController();
  let deck: FaultKind[] = [];
  while (!failed.signal.aborted) {
    if (deck.length === 0) deck = random.shuffled(kinds);
    const fault = deck.pop()!(random);
    await pause(random.integer(...spacingMs));
    await Promise.all(fault.locks.map((lock) => busy.get(lock)));
    if (performance.now() >= endMs) break;
    tell(fault.name);
    done.push(fault);
    const run = fault.run(system, tell).catch((error: unknown) => {
      failed.abort(new Error(`${fault.name}: ${(error as Error).message}`));
    });
    for (const lock of fault.locks) busy.set(lock, run);
    running.push(run);
  }
  await Promise.all(running);
  failed.signal.throwIfAborted();
  return done;
}
