import { Child } from '../process/child.js';

/**
 * Runs a program as a process of its own until it ends.
 * @param env beside the environment of this process
 * @returns the last line of JSON that it printed @throws when it ends without one
 */
export async function saidBy<T>(
  name: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<T> {
  let said: T | undefined;
  const child = new Child(name, command, {
    env: { ...process.env, ...env },
    onLine: (line) => {
      if (line.startsWith('{')) said = JSON.parse(line) as T;
      else console.error(line);
    },
  });
  await child.spawn();
  await child.ended();
  if (said === undefined) throw new Error(`the ${name} ended without a word (${child.ending})`);
  return said;
}

/** Runs a sender from its TypeScript file. @param args what it gets, as JSON */
export function saidBySender<T>(file: string, args: unknown): Promise<T> {
  return saidBy('sender', [process.execPath, '--import', 'tsx', file, JSON.stringify(args)]);
}
