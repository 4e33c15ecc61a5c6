import { TabaError } from '../../core/errors.js';
import type { BucketIndex } from '../../core/ids.js';
import { HeadMismatch } from '../store.js';

/** The outcome is not known, or Redis is not to be had: the caller must acquire the bucket again (R3). */
export class ShardUnavailable extends TabaError {
  constructor(shard: string, reason: string) {
    super('store_failed', `${shard}: ${reason}`);
  }
}

/** Answers after which the connection is of no use any more: another master, another Redis, or one that was emptied. */
const fatalReplies = /^(READONLY|NOSCRIPT|LOADING|MASTERDOWN|MOVED|ASK|CLUSTERDOWN|NOAUTH|UNBLOCKED)\b/;

export function isFatalReply(error: Error): boolean {
  return fatalReplies.test(error.message);
}

/** Redis refused a write because its memory is used up: nothing was changed. */
export function isOutOfMemory(error: Error): boolean {
  return /^(OOM|-OOM|ERR .*OOM)\b/.test(error.message) || error.message.includes('OOM command not allowed');
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
