import type { BenchReport } from '../../../src/cli/bench/report.js';
import { measured } from '../measured.js';
import { saidBy } from '../said-by.js';
import { TabaPair } from '../taba-pair.js';
import type { Usage } from '../usage.js';

/** What `taba bench` does to a cluster. */
export interface Load {
  /** In words, such as `1,000 tabs, 4 processes`. */
  readonly name: string;
  /** Those of `taba bench` beside the addresses and the time. */
  readonly flags: readonly string[];
}

/** What came of it. */
export interface Ran {
  readonly load: Load;
  readonly report: BenchReport;
  /** By process of the cluster. */
  readonly used: Readonly<Record<string, Usage>>;
  readonly calibrationNs: number;
}

/** Where a load goes to, and whose CPU is measured. */
export interface Target {
  /** Agents or servers: the processes that record take turns. */
  readonly urls: readonly string[];
  readonly server: string;
  readonly pids: Readonly<Record<string, number>>;
}

/** Loads a cluster that is there already. */
export async function loaded(
  taba: readonly string[],
  target: Target,
  load: Load,
  seconds: number,
): Promise<Ran> {
  const addresses = [...target.urls.flatMap((url) => ['--url', url]), '--server', target.server];
  const { outcome, used, calibrationNs } = await measured(target.pids, () =>
    saidBy<BenchReport>('load', [
      ...taba,
      ...['bench', '--json', '--seconds', String(Math.ceil(seconds)), ...addresses, ...load.flags],
    ]),
  );
  return { load, report: outcome, used, calibrationNs };
}

/** Loads an agent and a server of its own. */
export async function loadedPair(taba: readonly string[], load: Load, seconds: number): Promise<Ran> {
  const pair = await TabaPair.start(taba);
  try {
    return await loaded(
      taba,
      { urls: [pair.agentUrl], server: pair.serverUrl, pids: pair.pids },
      load,
      seconds,
    );
  } finally {
    await pair.stop();
  }
}
