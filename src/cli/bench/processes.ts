import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Program } from '../this-program.js';
import { CommandFailure } from '../usage-error.js';
import type { Share, ShareResult } from './share.js';

/** Holds the share of a process that was started to take part in a run, as JSON. */
export const shareVariable = 'TABA_BENCH_SHARE';

/** Runs every share in a process of its own, all at the same time. @throws CommandFailure when one of them fails or is interrupted */
export async function recordInProcesses(
  shares: readonly Share[],
  program: Program,
  env: NodeJS.ProcessEnv,
): Promise<ShareResult[]> {
  const children = shares.map((share) =>
    spawn(program.file, [...program.args, 'bench'], {
      env: { ...env, [shareVariable]: JSON.stringify(share) },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const endAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
    endAll();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await Promise.all(
      children.map(async (child, index) => {
        const ended = new Promise<string>((resolve, reject) => {
          child.once('error', reject);
          child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
        });
        const [said, ending] = await Promise.all([text(child.stdout), ended]);
        if (isInterrupted) throw new CommandFailure('the run was interrupted');
        if (ending !== 'exit code 0') throw new CommandFailure(`process ${index} ended with ${ending}`);
        return JSON.parse(said) as ShareResult;
      }),
    );
  } finally {
    endAll();
    for (const signal of signals) process.off(signal, interrupt);
  }
}
