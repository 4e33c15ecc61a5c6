import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Spool, type SpoolOptions } from '../../../src/agent/spool/spool.js';
import type { Block } from '../../../src/core/block.js';
import { bucketOf } from '../../../src/core/buckets.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import type { ClientId, ProducerId, Seq, TabName, TabType } from '../../../src/core/ids.js';
import { PartMap } from '../../../src/core/parts.js';
import { decodePart, encodeParts, readParts } from '../../../src/wire/parts.js';
import { FakeClock } from '../../support/fake-clock.js';
import { RecordingLog } from '../recording-log.js';

export const registry = builtinHandlers();
export const bucketCount = 4;
export const client = 'client' as ClientId;
export const totals = 'TotalsCounter' as TabType;

export const encode = (parts: PartMap): Uint8Array => encodeParts(parts, registry);

/** One event of value 1 for each name. */
export function partsOf(...tabs: string[]): PartMap {
  const parts = new PartMap(registry);
  for (const tab of tabs) parts.fold(tab as TabName, totals, client, 1, { timestampSec: 1, sequence: 0 });
  return parts;
}

export function bucketFor(tab: string): Block['bucket'] {
  return bucketOf(tab as TabName, bucketCount);
}

export function blockOf(parts: PartMap, seq: number, producer = 'p'.repeat(32)): Block {
  const [first] = parts.entries();
  return {
    bucket: bucketFor(first!.tab),
    producer: producer as ProducerId,
    birthMs: 5,
    seq: seq as Seq,
    sealedAtMs: 7,
    events: parts.events,
    payload: encode(parts),
  };
}

/** Events per tab. */
export function countsOf(parts: PartMap): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { tab, events } of parts.entries()) counts[tab] = (counts[tab] ?? 0) + events;
  return counts;
}

export function countsIn(blocks: Iterable<Pick<Block, 'payload'>>): Record<string, number> {
  const parts = new PartMap(registry);
  for (const { payload } of blocks) {
    for (const record of readParts(payload)) {
      parts.reduce(record.tab, record.type, record.client, decodePart(record, registry), record.events);
    }
  }
  return countsOf(parts);
}

export function add(into: Record<string, number>, from: Record<string, number>): Record<string, number> {
  for (const [tab, events] of Object.entries(from)) into[tab] = (into[tab] ?? 0) + events;
  return into;
}

export function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'taba-spool-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

let instances = 0;

export function open(
  folder: string,
  options: Partial<SpoolOptions> = {},
): Spool & { readonly log: RecordingLog } {
  const log = new RecordingLog();
  const spool = new Spool({
    folder,
    registry,
    encode,
    newInstance: () => (++instances).toString(16).padStart(32, '0'),
    fsync: false,
    clock: new FakeClock(),
    log,
    ...options,
  });
  return Object.assign(spool, { log });
}
