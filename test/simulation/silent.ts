import type { Log } from '../../src/runtime/log.js';
import type { World } from './world.js';

/** Nobody reads it. */
export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silent,
};

/** What a process logs, as part of the trace. */
export function tracedLog(world: World, name: string): Log {
  if (!world.isTraced) return silent;
  const line = (event: string, fields?: object): void => {
    world.log(() => `${name}: ${event} ${JSON.stringify(fields ?? {})}`);
  };
  const log: Log = { debug: line, info: line, warn: line, error: line, with: () => log };
  return log;
}
