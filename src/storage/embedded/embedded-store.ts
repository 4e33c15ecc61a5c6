import { TabaError } from '../../core/errors.js';
import type { BucketIndex, Position, ProducerId } from '../../core/ids.js';
import { FolderInUse, type FolderLock, lockFolder } from '../../runtime/folder-lock.js';
import type { Log } from '../../runtime/log.js';
import { fieldsOf } from '../item-codec.js';
import type {
  Acquired,
  Head,
  JournalEntry,
  OpenReport,
  Page,
  PageKey,
  PageWrite,
  SetAside,
  Store,
  StoreStats,
} from '../store.js';
import { Chain } from './chain.js';
import { Compaction } from './compaction.js';
import { GroupCommit } from './group-commit.js';
import { type LogFiles, nodeFiles } from './log-files.js';
import { byOrigin, type Located, type LogBucket, LogIndex } from './log-index.js';
import { contentOf, encodeHead, type LogRecord, type PageItem } from './records.js';
import { recover } from './recovery.js';

export interface EmbeddedStoreOptions {
  /** Made when it does not exist. One process at a time. */
  readonly folder: string;
  readonly bucketCount: number;
  readonly log: Log;
  /**
   * Size at which a new segment begins. Larger ones make fewer files; smaller ones give room back sooner, as the log is at
   * most twice what holds and two segments.
   */
  readonly maxSegmentBytes?: number;
  nowMs?: () => number;
  /** The file operations; tests put faults here. */
  readonly files?: LogFiles;
}

/**
 * Opens the store in a folder, or makes one.
 *
 * @throws TabaError folder_in_use, store_mismatch; corrupt when nothing can be made of it at all
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const { folder, bucketCount, log, maxSegmentBytes = 64 * 2 ** 20, files = nodeFiles } = options;
  const { nowMs = Date.now } = options;
  await files.makeFolder(folder);
  const lock = await lockOrRefuse(folder);
  try {
    const index = new LogIndex(bucketCount);
    const recovered = await recover({ folder, files, bucketCount, index, log, nowMs });
    const { mark, createdAtMs, segments, damage, closed } = recovered;
    const chain = new Chain(
      { folder, files, bucketCount, mark, createdAtMs, maxSegmentBytes, log },
      segments,
    );
    const damaged = (line: string): void => {
      damage.push(line);
      log.error('store_damage', { damage: line });
    };
    const compaction = new Compaction({ index, chain, mark, maxSegmentBytes, damaged });
    const commits = new GroupCommit({ index, chain, compaction, mark, folder, log, closed });
    const durability = 'on disk: each write is synced before it is answered';
    const opened = { bucketCount, createdAtMs, damage, durability };
    commits.start();
    return new EmbeddedStore({ opened, index, chain, commits, lock, damaged });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function lockOrRefuse(folder: string): Promise<FolderLock> {
  try {
    return await lockFolder(folder);
  } catch (error) {
    if (error instanceof FolderInUse) throw new TabaError('folder_in_use', error.message);
    throw error;
  }
}

interface Parts {
  readonly opened: OpenReport;
  readonly index: LogIndex;
  readonly chain: Chain;
  readonly commits: GroupCommit;
  readonly lock: FolderLock;
  readonly damaged: (line: string) => void;
}

/** The port over the log: heads are checked when a write is issued, and the index is changed once it is durable. */
class EmbeddedStore implements Store {
  readonly engine = 'embedded';
  readonly opened: OpenReport;
  readonly #parts: Parts;
  readonly #reported = new Set<string>();
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.opened = parts.opened;
    this.#parts = parts;
  }

  async acquire(bucket: BucketIndex, _owner: string): Promise<Acquired> {
    const model = this.#bucket(bucket);
    model.guard.fence();
    return this.#parts.commits.afterWrites(model, () => {
      const { lastPosition, forgetHorizonMs } = model.facts;
      return {
        token: model.guard.acquire(lastPosition),
        tail: this.#tail(model),
        lastPosition,
        producers: model.producerRows(),
        forgetHorizonMs,
        pages: model.pageInfos(),
        setAside: model.asideKeys(),
      };
    });
  }

  async append(head: Head, entry: JournalEntry): Promise<void> {
    const { payload } = entry;
    const record = {
      kind: 'entry',
      bucket: head.bucket,
      moved: false,
      entry: fieldsOf(entry),
      content: contentOf(payload),
    } as const;
    return this.#write(head, record, [payload], entry.position);
  }

  async setAside(head: Head, item: SetAside): Promise<void> {
    const { bytes, ...fields } = item;
    const record = { kind: 'aside', bucket: head.bucket, item: fields, content: contentOf(bytes) } as const;
    return this.#write(head, record, [bytes]);
  }

  async readPages(head: Head, keys: readonly PageKey[]): Promise<readonly (Page | undefined)[]> {
    const model = this.#bucket(head.bucket);
    model.guard.checkToken(head);
    return keys.map(({ tab, client }) => {
      const at = model.getPage({ tab, client });
      if (at === undefined) return undefined;
      const of = client === '' ? `tab ${tab}` : `tab ${tab}, client ${client}`;
      const bytes = this.#read(at, `the page of ${of} in bucket ${model.bucket}`) ?? leftOf(at);
      return { tab, client, type: at.type, position: at.position, bytes };
    });
  }

  async writePages(head: Head, writes: readonly PageWrite[]): Promise<void> {
    const items: PageItem[] = [];
    const contents: Uint8Array[] = [];
    for (const write of writes) {
      const { tab, client, position } = write;
      if ('deleted' in write) {
        items.push({ tab, client, position, deleted: true });
      } else {
        items.push({ tab, client, position, type: write.type, content: contentOf(write.bytes) });
        contents.push(write.bytes);
      }
    }
    return this.#write(head, { kind: 'pages', bucket: head.bucket, items }, contents);
  }

  async trim(head: Head, upTo: Position): Promise<void> {
    const { lastPosition } = this.#bucket(head.bucket).guard;
    const known = Math.max(0, Math.min(upTo, lastPosition)) as Position;
    return this.#write(head, { kind: 'trim', bucket: head.bucket, upTo: known }, []);
  }

  async forget(head: Head, producers: readonly ProducerId[], horizonMs: number): Promise<void> {
    const record = { kind: 'forget', bucket: head.bucket, producers: [...producers], horizonMs } as const;
    return this.#write(head, record, []);
  }

  async listSetAside(bucket: BucketIndex): Promise<readonly SetAside[]> {
    const items: SetAside[] = [];
    for (const { fields, at } of [...this.#bucket(bucket).aside].sort(byOrigin)) {
      const bytes = this.#read(at, `block ${fields.seq} of producer ${fields.producer}, set aside`);
      if (bytes !== undefined) items.push({ ...fields, bytes });
    }
    return items;
  }

  stats(): StoreStats {
    const { index, chain, commits } = this.#parts;
    const { journalEntries, journalBytes, pages } = index.tally;
    const { waitingFor } = commits;
    return {
      journalEntries,
      journalBytes,
      pages,
      bytesOnDisk: chain.bytesOnDisk(),
      commits: commits.commits,
      ...(waitingFor === undefined ? {} : { waitingFor }),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { commits, chain, lock } = this.#parts;
    try {
      await commits.close();
      await chain.close();
    } finally {
      await lock.release();
    }
  }

  #bucket(bucket: BucketIndex): LogBucket {
    if (this.#closing !== undefined) throw new TabaError('store_failed', 'the store is closed');
    const model = this.#parts.index.buckets[bucket];
    if (model === undefined) throw new TabaError('internal', `no bucket ${bucket}`);
    return model;
  }

  #write(head: Head, record: LogRecord, contents: readonly Uint8Array[], position?: Position): Promise<void> {
    const model = this.#bucket(head.bucket);
    // First what may throw: a write that was counted as issued must get into the queue.
    const encoded = encodeHead(record);
    model.guard.issue(head, position);
    return this.#parts.commits.write(model, record, encoded, contents);
  }

  /** What can be read of the journal: a damaged entry is reported and left out, the bucket must go on. */
  #tail(model: LogBucket): JournalEntry[] {
    const tail: JournalEntry[] = [];
    for (const [position, at] of model.entries()) {
      const payload = this.#read(at, `journal entry at position ${position} of bucket ${model.bucket}`);
      if (payload !== undefined) tail.push({ ...at.fields, payload });
    }
    return tail;
  }

  /** @returns undefined, after a report, when the content is damaged */
  #read(at: Located, what: string): Uint8Array | undefined {
    const bytes = this.#tryRead(at);
    if (bytes !== undefined) return bytes;
    const line = `${at.segment.name} at byte ${at.offset}, ${at.bytes} bytes: wrong checksum, ${what} is lost`;
    if (!this.#reported.has(line)) this.#parts.damaged(line);
    this.#reported.add(line);
    return undefined;
  }

  #tryRead(at: Located): Uint8Array | undefined {
    try {
      return at.segment.readContent(at.offset, at);
    } catch (error) {
      throw new TabaError('store_failed', `${at.segment.name} cannot be read: ${(error as Error).message}`);
    }
  }
}

/** What the disk has in the place of damaged content, to be kept aside by its owner. */
function leftOf({ segment, offset, bytes }: Located): Uint8Array {
  const left = new Uint8Array(bytes);
  return left.subarray(0, segment.file.read(left, offset));
}
