/**
 * What a server tells the others about itself with every heartbeat, as msgpack:
 *
 *     [version, uptimeSec, idle, acquiring, serving, leaving, tabs, clients, statesInMemory, producers, pendingBlocks,
 *      oldestPendingSec, journalEntries, load, memoryBytes, enqueueSec, processedSec, waitingFor?,
 *      received, buffered, applied, rejected, dropped,
 *      owned received, pending, owned applied, owned rejected, returned, replayed, keptAside,
 *      checkpoint rounds, tookMs, endedAtMs]
 *
 * Counts by reason are `[[reason, events]…]`. Every server reads those of all others twice a second: it is small, and
 * another version is not read at all.
 */
import type { Counts } from '../../intake/counts.js';
import type { Fields } from '../../wire/fields.js';
import { pack } from '../../wire/msgpack.js';
import { versionedFields } from '../../wire/versioned-fields.js';
import type { Lateness } from '../cluster/latency.js';
import type { CheckpointFigures } from '../reduce/owners.js';
import { type Books, booksWith, type OwnerAccount, ownerAccountWith } from './account.js';

export interface MemberReport extends Lateness {
  readonly uptimeSec: number;
  /** Buckets by state of their ownership. */
  readonly buckets: Readonly<Record<'idle' | 'acquiring' | 'serving' | 'leaving', number>>;
  readonly tabs: number;
  readonly clients: number;
  readonly statesInMemory: number;
  /** Rows of producers, over all buckets. */
  readonly producers: number;
  /** Blocks that wait here to be durable and applied, or for their owner elsewhere. */
  readonly pendingBlocks: number;
  readonly oldestPendingSec: number;
  readonly journalEntries: number;
  /** Of the whole process. */
  readonly memoryBytes: number;
  readonly waitingFor: string | undefined;
  readonly books: Books;
  readonly owners: OwnerAccount;
  readonly checkpoint: CheckpointFigures;
}

const version = 1;

export function encodeReport(report: MemberReport): Uint8Array {
  const { buckets, books, owners, checkpoint } = report;
  return pack([
    version,
    report.uptimeSec,
    ...[buckets.idle, buckets.acquiring, buckets.serving, buckets.leaving],
    ...[report.tabs, report.clients, report.statesInMemory, report.producers],
    ...[report.pendingBlocks, report.oldestPendingSec, report.journalEntries],
    ...[report.load, report.memoryBytes, report.enqueueSec, report.processedSec],
    report.waitingFor ?? null,
    ...[books.received, books.buffered, books.applied],
    ...[Object.entries(books.rejected), Object.entries(books.dropped)],
    ...[owners.received, owners.pending, owners.applied, Object.entries(owners.rejected)],
    ...[owners.returned, owners.replayed, owners.kept_aside],
    ...[checkpoint.rounds, checkpoint.tookMs, checkpoint.endedAtMs],
  ]);
}

/** @throws TabaError `bad_framing`, `unsupported_version` */
export function decodeReport(bytes: Uint8Array): MemberReport {
  const fields = versionedFields(bytes, 'report', version);
  const report: MemberReport = {
    uptimeSec: fields.amount('uptimeSec'),
    buckets: {
      idle: fields.integer('idle'),
      acquiring: fields.integer('acquiring'),
      serving: fields.integer('serving'),
      leaving: fields.integer('leaving'),
    },
    tabs: fields.integer('tabs'),
    clients: fields.integer('clients'),
    statesInMemory: fields.integer('statesInMemory'),
    producers: fields.integer('producers'),
    pendingBlocks: fields.integer('pendingBlocks'),
    oldestPendingSec: fields.amount('oldestPendingSec'),
    journalEntries: fields.integer('journalEntries'),
    load: fields.amount('load'),
    memoryBytes: fields.integer('memoryBytes'),
    enqueueSec: fields.amount('enqueueSec'),
    processedSec: fields.amount('processedSec'),
    waitingFor: fields.optional((field) => field.text('waitingFor')),
    books: booksWith({
      received: fields.amount('received'),
      buffered: fields.amount('buffered'),
      applied: fields.amount('applied'),
      rejected: countsOf(fields, 'rejected'),
      dropped: countsOf(fields, 'dropped'),
    }),
    owners: ownerAccountWith({
      received: fields.amount('owned received'),
      pending: fields.amount('pending'),
      applied: fields.amount('owned applied'),
      rejected: countsOf(fields, 'owned rejected'),
      returned: fields.amount('returned'),
      replayed: fields.amount('replayed'),
      kept_aside: fields.amount('keptAside'),
    }),
    checkpoint: {
      rounds: fields.integer('rounds'),
      tookMs: fields.amount('tookMs'),
      endedAtMs: fields.amount('endedAtMs'),
    },
  };
  fields.end();
  return report;
}

function countsOf(fields: Fields, field: string): Counts {
  return Object.fromEntries(
    fields.list(field, (count) => [count.text('reason'), count.amount('events')] as const),
  );
}
