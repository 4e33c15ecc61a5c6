import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Starts a CPU profile of this process. @returns what stops it and writes it to `file` */
export async function startProfile(file: string): Promise<() => Promise<void>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  };
}
