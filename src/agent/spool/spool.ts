import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Block } from '../../core/block.js';
import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { BucketIndex, ProducerId, Seq } from '../../core/ids.js';
import type { PartMap } from '../../core/parts.js';
import type { ProducerRecord } from '../../core/producer/record.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';
import {
  encodeRecord,
  type GaugeValue,
  type Origin,
  type SpoolRecord,
  type Tally,
  tallied,
} from './record.js';
import { type Replayed, replay } from './replay.js';
import { messageOf, type SpoolDisk, SpoolFile, systemDisk } from './spool-file.js';

export interface SpoolOptions {
  /** Exists, and is locked by the caller. */
  readonly folder: string;
  readonly registry: HandlerRegistry;
  readonly encode: (parts: PartMap) => Uint8Array;
  readonly newInstance: () => string;
  /** Whether `durable` waits for the disk. */
  readonly fsync: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly disk?: SpoolDisk;
  /** Smaller files are not compacted, bytes. */
  readonly compactFromBytes?: number;
}

export interface SpoolStats {
  readonly bytes: number;
  readonly records: number;
  readonly compactions: number;
  readonly fsync: boolean;
  /** What writing waits for (a full disk, say); undefined when all is well. */
  readonly waitingFor: string | undefined;
  readonly damage: readonly string[];
}

const compactFromBytes = 4 * 2 ** 20;
/** A file is rewritten when it is this many times larger than what was of use at the last rewrite. */
const garbageFactor = 3;
/** After a rewrite that failed, this long until the next attempt. */
const compactRetryMs = 10_000;

/**
 * What an agent has accepted and not yet handed over, on disk (rules R7, R8, R9); record.ts has the format.
 *
 * `accept` writes before anything else happens, or throws. What the producer does of its own (sealing, settling) is queued
 * by `sealed` and `settled`, and written by the next `flush` or `accept`, in order; a Block may be sent only once it is
 * `safe`. So a full disk refuses new events and holds Blocks back, and everything goes on where it was once
 * there is room: memory and file never disagree about what came before what.
 */
export class Spool implements ProducerRecord {
  readonly restored: Replayed;
  readonly instance: string;
  readonly #options: SpoolOptions;
  readonly #path: string;
  #file: SpoolFile;
  #tally: Tally;
  #queued: Uint8Array[] = [];
  /** Sealed Blocks whose record is not yet where it has to be. */
  readonly #unsafe = new Set<Block>();
  #liveBytes: number;
  #compactions = 0;
  #noCompactionBeforeMs = 0;
  #waitingFor: string | undefined;
  #bucketCount: number;

  /** Reads what is there. @throws TabaError `store_mismatch`, `store_failed` */
  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#path = join(options.folder, 'spool.log');
    rmSync(this.#newPath, { force: true });
    const bytes = existsSync(this.#path) ? readFileSync(this.#path) : new Uint8Array();
    this.restored = replay(bytes, options.registry);
    const { damage, length, tornBytes, tally, instance, bucketCount } = this.restored;
    for (const text of damage) options.log.error('spool_damaged', { file: this.#path, text });
    if (tornBytes > 0) options.log.info('spool_torn_end', { file: this.#path, bytes: tornBytes });
    this.#file = new SpoolFile(this.#path, length, options.disk ?? systemDisk);
    this.#tally = tally;
    this.#liveBytes = length;
    this.#bucketCount = bucketCount;
    this.instance = instance ?? options.newInstance();
    if (instance === undefined) {
      this.#queue({ kind: 'begin', instance: this.instance, bucketCount });
      if (!this.flush()) throw new TabaError('store_failed', this.#waitingFor ?? this.#path);
    }
  }

  get #newPath(): string {
    return `${this.#path}.new`;
  }

  stats(): SpoolStats {
    return {
      bytes: this.#file.length,
      records: this.#tally.records,
      compactions: this.#compactions,
      fsync: this.#options.fsync,
      waitingFor: this.#waitingFor,
      damage: this.restored.damage,
    };
  }

  /** Whether the last write failed, and nothing has been written since. */
  get stuck(): boolean {
    return this.#waitingFor !== undefined;
  }

  /**
   * One record for Parts that were accepted, and what they came in with: a flush of an SDK, a body under a key, or nothing.
   * @throws TabaError `store_failed`; nothing was accepted then
   */
  accept(parts: Uint8Array, events: number, origin?: Origin): void {
    const record: SpoolRecord =
      origin !== undefined && 'key' in origin
        ? { kind: 'keyed', body: origin, events, parts }
        : {
            ...{ kind: 'accepted', session: origin?.session ?? '', flush: origin?.number ?? 0 },
            ...{ events, parts },
          };
    const tallyBefore = this.#tally;
    this.#queue(record);
    if (this.flush()) return;
    this.#queued.pop();
    this.#tally = tallyBefore;
    throw new TabaError('store_failed', `the spool cannot be written: ${this.#waitingFor}`);
  }

  sealed(block: Block, left: PartMap | undefined): void {
    const rest = left === undefined ? new Uint8Array() : this.#options.encode(left);
    this.#queue({ kind: 'sealed', block, rest });
    this.#unsafe.add(block);
  }

  settled(bucket: BucketIndex, producer: ProducerId, seq: Seq): void {
    this.#queue({ kind: 'settled', bucket, producer, seq });
  }

  requeued({ bucket, producer, seq }: Block): void {
    this.#queue({ kind: 'requeued', bucket, producer, seq });
  }

  discarded(bucket: BucketIndex): void {
    this.#queue({ kind: 'discarded', bucket });
  }

  /** Written with the next record, or before. */
  rememberGauges(gauges: readonly GaugeValue[]): void {
    if (gauges.length > 0) this.#queue({ kind: 'gauges', gauges });
  }

  rememberBuckets(bucketCount: number): void {
    if (bucketCount === this.#bucketCount) return;
    this.#bucketCount = bucketCount;
    this.#queue({ kind: 'buckets', bucketCount });
  }

  #queue(record: SpoolRecord): void {
    this.#queued.push(encodeRecord(record, this.#tally));
    this.#tally = tallied(this.#tally, record);
  }

  /** While nothing can be written, looks whether that has changed, by a record that says nothing new. */
  probe(): void {
    if (!this.stuck) return;
    if (this.#queued.length === 0) this.#queue({ kind: 'buckets', bucketCount: this.#bucketCount });
    this.flush();
  }

  /** Writes what is queued. @returns whether all of it is written now */
  flush(): boolean {
    if (this.#queued.length === 0) return true;
    try {
      this.#file.append(this.#queued.length === 1 ? this.#queued[0]! : Buffer.concat(this.#queued));
    } catch (error) {
      if (this.#waitingFor === undefined) {
        this.#options.log.error('spool_write_failed', {
          error: messageOf(error),
          hint: 'new events are answered 503 until the folder can be written',
        });
      }
      this.#waitingFor = messageOf(error);
      return false;
    }
    this.#queued = [];
    if (this.#waitingFor !== undefined) this.#options.log.info('spool_write_resumed');
    this.#waitingFor = undefined;
    return true;
  }

  /** Whether the record of the Block is written (and synced, where that is asked for): only then may it be sent (R7). */
  safe(block: Block): boolean {
    return !this.#unsafe.has(block);
  }

  /**
   * Writes what is queued; `done` is called once the Blocks sealed so far are safe, at once where nothing has to be synced.
   * @returns false when the spool cannot be written: `done` will not be called
   */
  secure(done: () => void): boolean {
    if (!this.flush()) return false;
    if (!this.#options.fsync || this.#unsafe.size === 0) {
      this.#unsafe.clear();
      done();
      return true;
    }
    const blocks = [...this.#unsafe];
    this.durable().then(
      () => {
        for (const block of blocks) this.#unsafe.delete(block);
        done();
      },
      (error: unknown) => {
        this.#options.log.error('spool_sync_failed', { error: messageOf(error) });
        done();
      },
    );
    return true;
  }

  /** Resolves when everything written so far survives what it is meant to survive. @throws TabaError `store_failed` */
  durable(): Promise<void> {
    return this.#options.fsync ? this.#file.synced() : Promise.resolve();
  }

  /** Puts a copy of the file aside, for whoever wants to look into the damage; the last one only. */
  keepDamaged(): void {
    try {
      copyFileSync(this.#path, `${this.#path}.damaged`);
    } catch (error) {
      this.#options.log.warn('spool_copy_failed', { file: this.#path, error: messageOf(error) });
    }
  }

  /** Whether so much of the file is garbage that a rewrite pays. */
  get wantsCompaction(): boolean {
    const from = this.#options.compactFromBytes ?? compactFromBytes;
    if (this.#options.clock.monotonicMs() < this.#noCompactionBeforeMs) return false;
    return this.#file.length > Math.max(from, this.#liveBytes * garbageFactor);
  }

  /**
   * Rewrites the file with what is of use: new file, fsync, rename. A failure leaves the present file in use.
   * @param live everything the memory holds, what is queued included
   */
  compact(live: Iterable<SpoolRecord>): boolean {
    let made: SpoolFile | undefined;
    let tally = this.#tally;
    try {
      made = new SpoolFile(this.#newPath, 0, this.#options.disk ?? systemDisk);
      const put = (record: SpoolRecord): void => {
        made!.append(encodeRecord(record, tally));
        tally = tallied(tally, record);
      };
      put({ kind: 'begin', instance: this.instance, bucketCount: this.#bucketCount });
      for (const record of live) put(record);
      syncPath(this.#newPath);
      renameSync(this.#newPath, this.#path);
    } catch (error) {
      made?.close();
      rmSync(this.#newPath, { force: true });
      this.#noCompactionBeforeMs = this.#options.clock.monotonicMs() + compactRetryMs;
      this.#options.log.warn('spool_compaction_failed', { error: messageOf(error), retryMs: compactRetryMs });
      return false;
    }
    this.#file.close();
    // The open descriptor follows the rename.
    this.#file = made;
    this.#tally = tally;
    this.#queued = [];
    this.#unsafe.clear();
    this.#waitingFor = undefined;
    this.#liveBytes = made.length;
    this.#compactions++;
    try {
      syncPath(this.#options.folder);
    } catch (error) {
      this.#options.log.warn('spool_folder_sync_failed', { error: messageOf(error) });
    }
    return true;
  }

  close(): void {
    this.flush();
    this.#file.close();
  }
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
