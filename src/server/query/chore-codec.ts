/**
 * Work that servers ask of each other, as msgpack.
 *
 *     Chore       [version, work, buckets, tabs?, repair]
 *     ChoreDone   [version, [[bucket, reason]…], [[name, count]…], findings, setAside]
 *
 * `tabs` is nil or names; findings and what was set aside are JSON texts.
 */
import type { BucketIndex } from '../../core/ids.js';
import { pack } from '../../wire/msgpack.js';
import { versionedFields } from '../../wire/versioned-fields.js';
import { type Chore, type ChoreDone, works } from './chore.js';

const version = 1;
/** A finding names a tab and a client, and has a reason. */
const maxFindingLength = 65_536;

export function encodeChore({ work, buckets, tabs, repair }: Chore): Uint8Array {
  return pack([version, works.indexOf(work), buckets, tabs ?? null, repair]);
}

/** @throws TabaError `bad_framing`, `unsupported_version` */
export function decodeChore(bytes: Uint8Array): Chore {
  const fields = versionedFields(bytes, 'chore', version);
  const chore = {
    work: fields.choice('work', works),
    buckets: fields.integers('buckets') as BucketIndex[],
    tabs: fields.optional((field) => field.texts('tabs')),
    repair: fields.flag('repair'),
  };
  fields.end();
  return chore;
}

export function encodeChoreDone({ undone, counts, findings, setAside }: ChoreDone): Uint8Array {
  const places = undone.map(({ bucket, reason }) => [bucket, reason]);
  return pack([version, places, Object.entries(counts), findings, setAside]);
}

/** @throws TabaError `bad_framing`, `unsupported_version` */
export function decodeChoreDone(bytes: Uint8Array): ChoreDone {
  const fields = versionedFields(bytes, 'chore done', version);
  const undone = fields.list('undone', (place) => ({
    bucket: place.integer('bucket') as BucketIndex,
    reason: place.text('reason', 0, maxFindingLength),
  }));
  const counts = Object.fromEntries(
    fields.list('counts', (count) => [count.text('name'), count.integer('count')] as const),
  );
  const findings = fields.texts('findings', maxFindingLength);
  const setAside = fields.texts('setAside', maxFindingLength);
  fields.end();
  return { undone, counts, findings, setAside };
}

/** Which buckets to discard of, `[version, buckets?]`; undefined: all. */
export function encodeDiscard(buckets: readonly BucketIndex[] | undefined): Uint8Array {
  return pack([version, buckets ?? null]);
}

/** @throws TabaError `bad_framing`, `unsupported_version` */
export function decodeDiscard(bytes: Uint8Array): readonly BucketIndex[] | undefined {
  const fields = versionedFields(bytes, 'discard', version);
  const buckets = fields.optional((field) => field.integers('buckets') as BucketIndex[]);
  fields.end();
  return buckets;
}

/** How many events were discarded, `[version, events]`. */
export function encodeDiscarded(events: number): Uint8Array {
  return pack([version, events]);
}

/** @throws TabaError `bad_framing`, `unsupported_version` */
export function decodeDiscarded(bytes: Uint8Array): number {
  const fields = versionedFields(bytes, 'discarded', version);
  const events = fields.integer('events');
  fields.end();
  return events;
}
