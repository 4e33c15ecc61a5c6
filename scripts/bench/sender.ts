import { Child } from '../process/child.js';

/**
 * Runs a sender as a process of its own, from its TypeScript file, until it ends.
 * @param args what it gets, as JSON @returns what it printed last, as JSON
 * @throws when it ends without that
 */
export async function runSender<T>(file: string, args: unknown): Promise<T> {
  let said: T | undefined;
  const sender = new Child('sender', [process.execPath, '--import', 'tsx', file, JSON.stringify(args)], {
    onLine: (line) => {
      if (line.startsWith('{')) said = JSON.parse(line) as T;
      else console.error(line);
    },
  });
  await sender.spawn();
  await sender.ended();
  if (said === undefined) throw new Error(`the sender ended without a word (${sender.ending})`);
  return said;
}
