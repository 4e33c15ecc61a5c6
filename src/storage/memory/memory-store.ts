import { TabaError } from '../../core/errors.js';
import type { BucketIndex, Position, ProducerId } from '../../core/ids.js';
import { BucketModel, rowAfter, type StoredAside, type StoredPage, Tally } from '../bucket-model.js';
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

interface KeptEntry {
  readonly bytes: number;
  readonly entry: JournalEntry;
}

interface KeptPage extends StoredPage {
  readonly content: Uint8Array;
}

interface KeptAside extends StoredAside {
  readonly item: SetAside;
}

type Bucket = BucketModel<KeptEntry, KeptPage, KeptAside>;

/** A store that keeps nothing beyond its process: for tests, the simulation and throw-away runs. */
export function openMemoryStore(options: {
  readonly bucketCount: number;
  /** ms UTC; 0 by default: no process is older. */
  readonly createdAtMs?: number;
}): Store {
  return new MemoryStore(options.bucketCount, options.createdAtMs ?? 0);
}

/** Writes are carried out within the call, in the order of the calls; what is written is copied. */
class MemoryStore implements Store {
  readonly engine = 'memory';
  readonly opened: OpenReport;
  readonly #buckets: Bucket[] = [];
  readonly #tally = new Tally();
  #commits = 0;
  #closed = false;

  constructor(bucketCount: number, createdAtMs: number) {
    const durability = 'none: nothing outlives the process';
    this.opened = { bucketCount, createdAtMs, damage: [], durability };
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      this.#buckets.push(new BucketModel(bucket as BucketIndex, this.#tally));
    }
  }

  #bucket(bucket: BucketIndex): Bucket {
    if (this.#closed) throw new TabaError('store_failed', 'the store is closed');
    const model = this.#buckets[bucket];
    if (model === undefined) throw new TabaError('internal', `no bucket ${bucket}`);
    return model;
  }

  #issue(head: Head, position?: Position): Bucket {
    const model = this.#bucket(head.bucket);
    model.guard.issue(head, position);
    this.#commits++;
    return model;
  }

  async acquire(bucket: BucketIndex, _owner: string): Promise<Acquired> {
    const model = this.#bucket(bucket);
    const { lastPosition, forgetHorizonMs } = model.facts;
    return {
      token: model.guard.acquire(lastPosition),
      tail: model.entries().map(([, kept]) => kept.entry),
      lastPosition,
      producers: model.producerRows(),
      forgetHorizonMs,
      pages: model.pageInfos(),
      setAside: model.asideKeys(),
    };
  }

  async append(head: Head, entry: JournalEntry): Promise<void> {
    const model = this.#issue(head, entry.position);
    const payload = entry.payload.slice();
    model.putEntry(entry.position, { bytes: payload.length, entry: { ...entry, payload } });
    model.setProducer(rowAfter(entry), entry.retires);
  }

  async setAside(head: Head, item: SetAside): Promise<void> {
    const model = this.#issue(head);
    const { position, tab, client } = item;
    const bytes = item.bytes.slice();
    model.putAside({ position, tab, client, bytes: bytes.length, item: { ...item, bytes } });
    if (position === 0) model.setProducer(rowAfter(item));
  }

  async readPages(head: Head, keys: readonly PageKey[]): Promise<readonly (Page | undefined)[]> {
    const model = this.#bucket(head.bucket);
    model.guard.checkToken(head);
    return keys.map((key) => {
      const kept = model.getPage(key);
      if (kept === undefined) return undefined;
      const { tab, client } = key;
      return { tab, client, type: kept.type, position: kept.position, bytes: kept.content.slice() };
    });
  }

  async writePages(head: Head, writes: readonly PageWrite[]): Promise<void> {
    const model = this.#issue(head);
    for (const write of writes) {
      if ('deleted' in write) {
        model.deletePage(write, write.position);
      } else {
        const { type, position, bytes } = write;
        model.putPage(write.tab, {
          ...{ owner: write.client, type, position },
          ...{ bytes: bytes.length, content: bytes.slice() },
        });
      }
    }
  }

  async trim(head: Head, upTo: Position): Promise<void> {
    this.#issue(head).trim(upTo);
  }

  async forget(head: Head, producers: readonly ProducerId[], horizonMs: number): Promise<void> {
    this.#issue(head).forget(producers, horizonMs);
  }

  async listSetAside(bucket: BucketIndex): Promise<readonly SetAside[]> {
    return this.#bucket(bucket).aside.map((kept) => kept.item);
  }

  stats(): StoreStats {
    const { journalEntries, journalBytes, pages } = this.#tally;
    return { journalEntries, journalBytes, pages, bytesOnDisk: 0, commits: this.#commits };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
