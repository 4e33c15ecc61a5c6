import type { SeededRandom } from '../random.js';
import type { ChaosSystem } from './system.js';

/** One fault, with its victims and its times drawn. */
export interface PlannedFault {
  /** For people: `kill be2, back after 1.3 s`. */
  readonly name: string;
  /** What no other fault may touch until this one has been undone. */
  readonly locks: readonly string[];
  /** Does it and undoes it; resolves when what was hit is back. Tells what it finds on the way. */
  run(system: ChaosSystem, tell: (line: string) => void): Promise<void>;
  /** Resolves when its victims can bear another fault, where that is later. */
  recovered?(system: ChaosSystem): Promise<void>;
}

/** A kind of fault: draws its victims and its times. */
export type FaultKind = (random: SeededRandom) => PlannedFault;
