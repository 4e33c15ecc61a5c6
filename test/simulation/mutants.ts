import type { Answer, Block } from '../../src/core/block.js';
import type { BucketIndex, Position } from '../../src/core/ids.js';
import { type Outcome, Producer, type ProducerOptions } from '../../src/core/producer/producer.js';
import { FlushSessions, type FlushVerdict } from '../../src/core/producer/sessions.js';
import { BucketOwner } from '../../src/server/reduce/bucket-owner.js';
import type { BucketContext } from '../../src/server/reduce/context.js';
import type { Slot } from '../../src/server/reduce/slot.js';
import type { JournalEntry, PageWrite } from '../../src/storage/store.js';
import type { Rule } from './rules.js';

/** The real classes, or with one rule taken out. R1, R7, R8 and R12 are taken out of the store, the spool and the server. */
export function makeOwner(
  without: ReadonlySet<Rule>,
  bucket: BucketIndex,
  context: BucketContext,
): BucketOwner {
  if (without.has('R2')) return new VisibleBeforeDurable(bucket, context);
  if (without.has('R3')) return new CarriesOn(bucket, context);
  if (without.has('R5')) return new PositionOfTheBucket(bucket, context);
  if (without.has('R6')) return new AppliesToEmptyStates(bucket, context);
  if (without.has('R10-confirmed')) return new BelievesItself(bucket, context);
  if (without.has('R11')) return new AcceptsTheForgotten(bucket, context);
  return new BucketOwner(bucket, context);
}

export function makeProducer(without: ReadonlySet<Rule>, options: ProducerOptions): Producer {
  return without.has('R10') ? new DropsOnAnyAnswer(options) : new Producer(options);
}

export function makeSessions(without: ReadonlySet<Rule>): FlushSessions {
  const options = { maxSessions: 100, forgetAfterMs: 3_600_000 };
  return without.has('R9') ? new TakesEveryFlush(options) : new FlushSessions(options);
}

class VisibleBeforeDurable extends BucketOwner {
  protected override async append(entry: JournalEntry): Promise<void> {
    super.append(entry).catch(() => {});
  }
}

class CarriesOn extends BucketOwner {
  /** An error is taken for success, and the bucket goes on. */
  override async write(issue: Parameters<BucketOwner['write']>[0]): Promise<void> {
    return super.write((store, head) => issue(store, head).catch(() => {}));
  }
}

class PositionOfTheBucket extends BucketOwner {
  override writePages(pages: readonly PageWrite[]): Promise<void> {
    const position = (this.appliedPosition + this.pendingBlocks) as Position;
    return super.writePages(pages.map((page) => ({ ...page, position })));
  }
}

class AppliesToEmptyStates extends BucketOwner {
  override load(slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) if (!slot.isInMemory) slot.storedPosition = 0 as Position;
    return super.load(slots);
  }
}

class BelievesItself extends BucketOwner {
  protected override async confirmed(): Promise<boolean> {
    return true;
  }
}

class AcceptsTheForgotten extends BucketOwner {
  protected override judge(block: Block): ReturnType<BucketOwner['producers']['judge']> {
    const verdict = super.judge(block);
    const unknown = verdict.kind === 'answer' && verdict.answer.kind === 'unknown_producer';
    // One that began in the middle has numbers behind it that nobody waits for.
    const unheard = verdict.kind === 'after' && verdict.pending === undefined;
    return unknown || unheard ? { kind: 'append' } : verdict;
  }
}

class DropsOnAnyAnswer extends Producer {
  override take(addressed: Parameters<Producer['take']>[0], nowMs: number): Outcome {
    const answer: Answer = { kind: 'acknowledged', repeat: false, rejected: [] };
    return super.take({ ...addressed, answer }, nowMs);
  }
}

class TakesEveryFlush extends FlushSessions {
  override judge(): FlushVerdict {
    return { kind: 'next' };
  }
}
