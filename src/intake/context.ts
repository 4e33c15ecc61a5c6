import type { ErrorCode } from '../core/errors.js';
import type { HandlerRegistry } from '../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../core/ids.js';
import type { Limits } from '../core/limits.js';
import type { DenyLists } from './deny-lists.js';
import type { Gathering } from './gathering.js';

/** What staging must know of the node. Nothing in here is changed, except by `admits` and `nextSequence`. */
export interface StageContext {
  readonly registry: HandlerRegistry;
  readonly limits: Pick<Limits, 'maxNameBytes' | 'maxValueBytes' | 'allowedSkewSec'>;
  /** The present, for events without a timestamp and those that are ahead of it. */
  readonly nowMs: number;
  /** Whose the events are that do not name a client. */
  readonly defaultClient: ClientId;
  readonly deny: DenyLists;
  /** The type under which the node knows a tab, as far as it knows it. */
  typeOf(tab: TabName): TabType | undefined;
  /**
   * Whether there is room for (tab, client): undefined, or the limit that it would exceed. Asked once per pair, when the
   * framing of the whole body is known to be good; it may remember the pair.
   */
  admits(
    tab: TabName,
    client: ClientId,
  ): Extract<ErrorCode, 'too_many_tabs' | 'too_many_clients'> | undefined;
  /** Where numbers will be gathered, if they will: what waits there is known, and has room. */
  readonly gathering?: Pick<Gathering, 'known' | 'typeOfKnown' | 'isWaiting'> | undefined;
  /** Numbers the events of the process: orders those of one timestamp. */
  nextSequence(): number;
}
