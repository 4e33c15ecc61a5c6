import { TabaError } from '../../core/errors.js';
import type { BucketIndex } from '../../core/ids.js';
import { HeadMismatch } from '../store.js';

/** The outcome is not known, or Redis is not to be had: the caller must acquire the bucket again (R3). */
export class ShardUnavailable extends TabaError {
  constructor(shard: string, reason: string) {
    super('store_failed', `${shard}: ${reason}`);
  }
}

/** What our scripts answer by themselves: nothing was changed, and the owner of the bucket knows what it means. */
export function isRefusal(error: Error): boolean {
  return error.name === 'ReplyError' && error.message.startsWith('TABA_');
}

/** Answers after which a connection is of no use any more: another master, another Redis, or one that was emptied. */
const fatal = /^(NOSCRIPT|LOADING|MASTERDOWN|NOAUTH|UNBLOCKED|READONLY)\b|[ -]READONLY /;
/** Answers of a Redis Cluster whose map is another than the one that was gone by. Nothing was changed. */
const misplaced = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/;

/** An answer, or the lack of one, that ends the connection: not so where a server refuses one command and serves others. */
export function endsLink(error: Error): boolean {
  return error.name !== 'ReplyError' || fatal.test(error.message);
}

export function isMisplaced(error: Error): boolean {
  return error.name === 'ReplyError' && misplaced.test(error.message);
}

/** Why a Redis takes no writes although it runs. Redis before 7 puts what a script ran into in the middle of its message. */
const denials: readonly (readonly [RegExp, string])[] = [
  [/\bOOM command not allowed/, 'Redis is out of memory (maxmemory)'],
  [/\bMISCONF /, 'Redis cannot write to its disk (MISCONF)'],
  [/\bNOREPLICAS /, 'Redis has too few replicas (min-replicas-to-write)'],
];

/** In words; undefined where the write was not denied for such a reason. Nothing was changed. */
export function denialIn(error: Error): string | undefined {
  return denials.find(([pattern]) => pattern.test(error.message))?.[1];
}

/** What a script's refusal means to the owner of a bucket. */
export function asPortFault(bucket: BucketIndex, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.message.startsWith('TABA_HEAD')) return new HeadMismatch(bucket);
  if (!error.message.startsWith('TABA_POSITION')) return error;
  return new TabaError(
    'internal',
    `bucket ${bucket}: append at ${error.message.slice('TABA_POSITION '.length)}`,
  );
}
