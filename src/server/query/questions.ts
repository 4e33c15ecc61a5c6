import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Questions } from '../cluster/peers.js';
import type { Administration } from '../reduce/administration.js';
import { decodeAsk, encodeTold } from './ask-codec.js';
import { doChore } from './chore.js';
import { decodeChore, decodeDiscard, encodeChoreDone, encodeDiscarded } from './chore-codec.js';
import { choreQuestion, discardQuestion } from './everywhere.js';
import { queryQuestion } from './gather.js';
import type { Holder } from './holder.js';

export interface AnsweringOptions {
  readonly holder: Holder;
  readonly administration: Administration;
  readonly registry: HandlerRegistry;
  /** Discards what waits here of the buckets, or of all, and counts it as dropped. @returns events */
  discardPending(buckets: readonly BucketIndex[] | undefined): number;
}

/** What other servers may ask this one on behalf of a query or of administration. */
export function queryQuestions(options: AnsweringOptions): Questions {
  const { holder, administration, registry, discardPending } = options;
  return {
    [queryQuestion]: async (body) => encodeTold(await holder.answer(decodeAsk(body)), registry),
    [choreQuestion]: async (body) => encodeChoreDone(await doChore(administration, decodeChore(body))),
    [discardQuestion]: async (body) => encodeDiscarded(discardPending(decodeDiscard(body))),
  };
}
