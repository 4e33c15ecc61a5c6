import { TabaError } from '../../core/errors.js';
import type { BucketIndex } from '../../core/ids.js';
import type { Log } from '../../runtime/log.js';
import type { Chain } from './chain.js';
import type { Compaction, Placed, Step } from './compaction.js';
import { RecordBuffer } from './format.js';
import type { LogBucket, LogIndex } from './log-index.js';
import { encodeHead, type LogRecord } from './records.js';

/** What waits for its turn: a write, or (without one) something to be done after the writes before it. */
interface Waiting {
  readonly bucket: LogBucket;
  readonly write?: { readonly record: LogRecord; readonly head: Uint8Array };
  readonly contents: readonly Uint8Array[];
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** How much a commit gathers at most. More would hold up those who come next for longer than it saves. */
const maxCommitBytes = 2 ** 20;
/** What the compaction reads for a commit: at least this, or four times what is being written, so that it keeps pace. */
const minCompactionBytes = 2 ** 18;
const compactionShare = 4;

/**
 * Group commit: one write and one sync for everything that waits. While one commit is under way the next one gathers, so
 * the load sets the size of the commits, and nobody waits for a timer. The index takes a write only when it is durable (R2).
 *
 * When a commit fails, everything in it fails, and so does whatever waits behind it for the same buckets; nothing is
 * tried again on its own, because the callers acquire their buckets again (R3), and their next write is the next try.
 */
export class GroupCommit {
  readonly #index: LogIndex;
  readonly #chain: Chain;
  readonly #compaction: Compaction;
  readonly #buffer: RecordBuffer;
  readonly #log: Log;
  readonly #folder: string;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #removing = false;
  #compactionFailed = false;
  #closing = false;
  #waitingFor: string | undefined;
  #commits = 0;
  #marked: boolean;

  constructor(options: {
    index: LogIndex;
    chain: Chain;
    compaction: Compaction;
    mark: number;
    folder: string;
    log: Log;
    /** Whether the log ends with the mark of an orderly close already. */
    closed: boolean;
  }) {
    this.#index = options.index;
    this.#chain = options.chain;
    this.#compaction = options.compaction;
    this.#buffer = new RecordBuffer(options.mark, maxCommitBytes + 2 ** 16);
    this.#folder = options.folder;
    this.#log = options.log;
    this.#marked = options.closed;
  }

  get commits(): number {
    return this.#commits;
  }

  /** What the writes wait for since the last commit failed. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /**
   * Resolves when the record is durable and in the index. The contents must not change until then.
   * @param head the record's, encoded
   */
  write(
    bucket: LogBucket,
    record: LogRecord,
    head: Uint8Array,
    contents: readonly Uint8Array[],
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ bucket, write: { record, head }, contents, done: resolve, failed: reject });
    });
  }

  /** Does `action` once the writes issued so far to the bucket have succeeded or failed. */
  afterWrites<T>(bucket: LogBucket, action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = () => {
        try {
          resolve(action());
        } catch (error) {
          reject(error);
        }
      };
      this.#enqueue({ bucket, contents: [], done, failed: reject });
    });
  }

  /** Starts what the compaction may have to do. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Waits for everything that was issued, and marks the log as closed in order. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#running;
    if (this.#marked || this.#waitingFor !== undefined) return;
    this.#buffer.clear();
    this.#addCommitRecord();
    try {
      await this.#chain.append(this.#buffer.peek());
    } catch (error) {
      this.#log.warn('store_close_unmarked', { error: String(error) });
    }
  }

  #enqueue(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.start();
  }

  async #run(): Promise<void> {
    // Whatever is issued in the same turn of the event loop goes into the same commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 || this.#compacts()) {
      await this.#commit();
      if (this.#removing) await this.#removeOldest();
    }
    this.#running = undefined;
  }

  /** On its own the compaction does not knock at a disk that refuses; it goes on with the next write that succeeds. */
  #compacts(): boolean {
    if (this.#removing || this.#compactionFailed || this.#closing) return false;
    return this.#waitingFor === undefined && this.#compaction.wanted();
  }

  async #commit(): Promise<void> {
    this.#buffer.clear();
    const batch = this.#takeBatch();
    const step = this.#compacts() ? await this.#planStep(batch) : undefined;
    const placed: Placed[] = step === undefined ? [] : [...step.placed];
    for (const { write, contents } of batch) {
      if (write === undefined) continue;
      placed.push({ record: write.record, contentStart: this.#buffer.add(write.head, contents) });
    }
    if (this.#buffer.length > 0 || step?.finished) {
      this.#addCommitRecord(step?.finished);
      try {
        const { segment, offset } = await this.#chain.append(this.#buffer.peek());
        for (const { record, contentStart } of placed) {
          this.#index.apply(record, segment, offset + contentStart);
        }
      } catch (error) {
        this.#fail(batch, error as NodeJS.ErrnoException);
        return;
      }
      this.#commits++;
      this.#marked = false;
      if (this.#waitingFor !== undefined) this.#log.info('store_writes_again', { folder: this.#folder });
      this.#waitingFor = undefined;
    }
    if (step !== undefined) {
      this.#compaction.confirm(step);
      this.#removing = step.finished;
    }
    for (const { done } of batch) done();
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && bytes < maxCommitBytes) bytes += sizeOf(this.#waiting[count++]!);
    if (count === this.#waiting.length) {
      const all = this.#waiting;
      this.#waiting = [];
      return all;
    }
    return this.#waiting.splice(0, count);
  }

  async #planStep(batch: readonly Waiting[]): Promise<Step | undefined> {
    let bytes = 0;
    for (const waiting of batch) bytes += sizeOf(waiting);
    const idle = batch.length === 0 ? maxCommitBytes : minCompactionBytes;
    try {
      const plan = this.#compaction.plan(this.#buffer, Math.max(idle, compactionShare * bytes));
      for (;;) {
        const { done, value } = plan.next();
        if (done) return value;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      // The disk cannot be read: writes must go on, at the price of a log that grows.
      this.#log.error('store_compaction_failed', {
        error: String(error),
        hint: 'it goes on after a restart',
      });
      this.#compactionFailed = true;
      this.#buffer.clear();
      return undefined;
    }
  }

  #addCommitRecord(oldestGoes = this.#removing): void {
    const oldest = this.#chain.oldest + (oldestGoes ? 1 : 0);
    const record: LogRecord = { kind: 'commit', bytes: this.#buffer.length, oldest };
    this.#buffer.add(encodeHead(record), []);
  }

  async #removeOldest(): Promise<void> {
    try {
      await this.#chain.removeOldest();
      this.#removing = false;
    } catch (error) {
      this.#log.warn('store_segment_not_removed', { error: String(error) });
    }
  }

  #fail(batch: readonly Waiting[], error: NodeJS.ErrnoException): void {
    this.#waitingFor = `${describe(error)} (${this.#folder})`;
    this.#log.error('store_write_failed', { cause: this.#waitingFor, hint: 'the owners try again' });
    const buckets = new Set<BucketIndex>();
    for (const { bucket, write } of batch) if (write !== undefined) buckets.add(bucket.bucket);
    for (const bucket of buckets) this.#index.buckets[bucket]!.guard.poison();
    const failure = (what: string) => new TabaError('store_failed', `${what}: ${this.#waitingFor}`);
    const behind = this.#waiting;
    this.#waiting = [];
    for (const waiting of batch) {
      if (waiting.write === undefined) waiting.done();
      else waiting.failed(failure(`a write to bucket ${waiting.bucket.bucket} failed`));
    }
    const kept: Waiting[] = [];
    for (const waiting of behind) {
      const { bucket, write } = waiting;
      if (write === undefined || !buckets.has(bucket.bucket)) kept.push(waiting);
      else waiting.failed(failure(`a write to bucket ${bucket.bucket} before this one failed`));
    }
    this.#waiting = [...kept, ...this.#waiting];
  }
}

function sizeOf({ contents }: Waiting): number {
  let bytes = 0;
  for (const content of contents) bytes += content.length;
  return bytes + 128;
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOSPC') return 'no space left on device';
  if (error.code === 'EDQUOT') return 'disk quota exceeded';
  return error.message;
}
