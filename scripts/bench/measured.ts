import { calibrationNs } from './calibration.js';
import { type Usage, usageOf } from './usage.js';

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
      const usage = after[index]!;
      return [name, { ...usage, cpuSec: usage.cpuSec - before[index]!.cpuSec }];
    }),
  );
  return { outcome, used, calibrationNs: (calibratedBefore + calibratedAfter) / 2 };
}
