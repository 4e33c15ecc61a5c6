import { calibrationNs } from './calibration.js';
import { type Usage, usageOf } from './usage.js';

/** What one program did with one load. */
export interface Result {
  /** What came in, such as `tcp, counters, 1,000 names`. Results with the same load are compared with each other. */
  readonly load: string;
  /** Who took it. The first one that was given a load is Taba, the others are its peers. */
  readonly program: string;
  readonly sent: number;
  /** Events that the program shows in the end. */
  readonly shown: number;
  /** Whether it shows every event of every name and nothing else; a reason where it does not. */
  readonly exact: true | string;
  /** From the first event sent until all of them were in. */
  readonly seconds: number;
  /** By process, the one that took the events first. */
  readonly used: Readonly<Record<string, Usage>>;
  /** Before and after, see calibration.ts. */
  readonly calibrationNs: number;
}

export interface BenchOptions {
  /** How long each load should take about; scenarios choose their numbers of events by it. */
  readonly seconds: number;
  /** Told what happens. */
  readonly print: (line: string) => void;
}

export interface Scenario {
  readonly about: string;
  /** Gives each result when it has it. */
  run(options: BenchOptions): AsyncIterable<Result>;
}

/** Runs `work` and tells what the processes used meanwhile, and how fast the machine was. */
export async function measured<T>(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<T>,
): Promise<{ outcome: T; used: Record<string, Usage>; calibrationNs: number }> {
  const names = Object.keys(pids);
  const all = () => Promise.all(names.map((name) => usageOf(pids[name]!)));
  const calibratedBefore = calibrationNs();
  const before = await all();
  const outcome = await work();
  const after = await all();
  const calibratedAfter = calibrationNs();
  const used = Object.fromEntries(
    names.map((name, index) => {
      const { cpuSec, peakBytes } = after[index]!;
      return [name, { cpuSec: cpuSec - before[index]!.cpuSec, peakBytes }];
    }),
  );
  return { outcome, used, calibrationNs: (calibratedBefore + calibratedAfter) / 2 };
}
