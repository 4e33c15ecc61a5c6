import { Spool } from '../../src/agent/spool/spool.js';
import type { Clock } from '../../src/runtime/clock.js';
import type { Log } from '../../src/runtime/log.js';
import { encodeParts } from '../../src/wire/parts.js';
import { handlers } from './fake-servers.js';

/** A log that nobody reads. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };

/** A spool as an agent has one, compacted early. */
export function spoolOn(folder: string, clock: Clock, newId: () => string, compactFromBytes = 3000): Spool {
  return new Spool({
    folder,
    registry: handlers,
    encode: (parts) => encodeParts(parts, handlers),
    newInstance: newId,
    fsync: false,
    clock,
    log: silentLog,
    compactFromBytes,
  });
}
