import type { Log } from '../../src/runtime/log.js';

/** Nobody reads it. */
export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silent,
};
