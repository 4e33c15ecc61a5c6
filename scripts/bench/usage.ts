import { readFile } from 'node:fs/promises';

/** What a process has used so far, by the accounts of the system. */
export interface Usage {
  /** User and system time of all its threads, seconds in steps of 10 ms. */
  readonly cpuSec: number;
  /** Resident now, and the most that was resident at once. */
  readonly bytes: number;
  readonly peakBytes: number;
}

/** Ticks a second of the figures in /proc; every Linux that Node runs on has 100. */
const ticksPerSec = 100;

/** @throws where there is no such process, or no /proc */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name in brackets may hold anything; fields 14 and 15 of the line are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  const peakKiB = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
  if (!Number.isFinite(ticks + kib + peakKiB)) throw new Error(`/proc/${pid} reads otherwise than expected`);
  return { cpuSec: ticks / ticksPerSec, bytes: kib * 1024, peakBytes: peakKiB * 1024 };
}
