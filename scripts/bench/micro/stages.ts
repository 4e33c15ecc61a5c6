import { calibrationNs } from '../calibration.js';
import { median } from '../quantile.js';

/** Steps that belong together, done one after the other, round after round. */
export interface Stages {
  /** What a step does `items` of, such as `Part`. */
  readonly per: string;
  readonly items: number;
  readonly stages: Readonly<Record<string, () => void>>;
}

export interface StageTime {
  readonly stage: string;
  /** CPU of this thread and its helpers (garbage collection), median over the rounds. */
  readonly nsPerItem: number;
}

/** Runs the steps until the compiler has settled, then `rounds` more. */
export function timed({ items, stages }: Stages, rounds = 15): { times: StageTime[]; calibrationNs: number } {
  const before = calibrationNs();
  const taken = new Map<string, number[]>(Object.keys(stages).map((stage) => [stage, []]));
  for (let round = -rounds; round < rounds; round++) {
    for (const [stage, step] of Object.entries(stages)) {
      const start = process.cpuUsage();
      step();
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) taken.get(stage)!.push(((user + system) * 1000) / items);
    }
  }
  const times = [...taken].map(([stage, all]) => ({ stage, nsPerItem: median(all) }));
  return { times, calibrationNs: (before + calibrationNs()) / 2 };
}
