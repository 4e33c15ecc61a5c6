import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBundle } from '../../cluster/program.js';
import { TemporaryFolder } from '../../process/temporary-folder.js';
import type { Scenario } from './scenario.js';
import { Stage } from './stage.js';
import { scenarios } from './table.js';

export interface ScenarioRunOptions {
  /** A name, a number as in the list, or `all`. */
  readonly scenario: string;
  readonly seed: number;
  /** How Taba is run; the bundle of the tree unless given. */
  readonly program?: readonly string[];
  readonly print: (line: string) => void;
}

const logFolders = join(import.meta.dirname, '../../../.tmp/chaos');

/** The scenarios, a line each. */
export function scenarioList(): string[] {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(
    ({ number, name, description }) =>
      `${number === undefined ? '  ' : String(number).padStart(2)}  ${name.padEnd(width)}  ${description}`,
  );
}

/** @throws where there is no such scenario, naming those there are */
export function chosenScenarios(scenario: string): Scenario[] {
  const chosen = scenarios.filter(
    ({ name, number }) => scenario === 'all' || scenario === name || scenario === String(number),
  );
  if (chosen.length > 0) return chosen;
  throw new Error(`there is no scenario ${scenario}; there are:\n${scenarioList().join('\n')}`);
}

/** Runs one scenario, or several, one after the other. @returns whether all have passed */
export async function runScenarios(options: ScenarioRunOptions): Promise<boolean> {
  const { print, seed } = options;
  const chosen = chosenScenarios(options.scenario);
  const folder = await TemporaryFolder.create('taba-scenario-');
  const failed: string[] = [];
  try {
    const program = options.program ?? (await buildBundle(folder.path));
    for (const scenario of chosen) {
      const passed = await runScenario(scenario, {
        program,
        folder: join(folder.path, scenario.name),
        seed,
        print,
      });
      if (!passed) failed.push(scenario.name);
    }
  } finally {
    await folder.remove();
  }
  if (chosen.length > 1) {
    print(
      failed.length === 0
        ? `PASSED: all ${chosen.length} scenarios`
        : `FAILED: ${failed.length} of ${chosen.length} scenarios: ${failed.join(', ')}`,
    );
  }
  return failed.length === 0;
}

async function runScenario(
  { name, number, description, run }: Scenario,
  options: ConstructorParameters<typeof Stage>[0],
): Promise<boolean> {
  const { print, seed } = options;
  const beganMs = performance.now();
  print(`${number === undefined ? '' : `${number}. `}${name}: ${description} (seed ${seed})`);
  const stage = new Stage(options);
  let reason: string | undefined;
  try {
    await run(stage);
  } catch (error) {
    const { name: kind, message, stack } = error as Error;
    reason = kind === 'ScenarioFailure' ? message : (stack ?? message);
  }
  try {
    await stage.clear();
  } catch (error) {
    reason ??= `clearing away: ${(error as Error).stack}`;
  }
  const took = `${((performance.now() - beganMs) / 1000).toFixed(1)} s`;
  print(reason === undefined ? `PASSED ${name} (${took})` : `FAILED ${name} (${took}): ${reason}`);
  if (reason !== undefined) {
    const logFolder = join(logFolders, `${name}-${seed}`);
    const isLog = (path: string): boolean => path === options.folder || path.endsWith('.log');
    await cp(options.folder, logFolder, { recursive: true, filter: isLog });
    print(`logs are in ${logFolder}`);
  }
  return reason === undefined;
}
