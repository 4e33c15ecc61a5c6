import type {
  BucketIndex,
  ClientId,
  HeadToken,
  Position,
  ProducerId,
  Seq,
  TabName,
  TabType,
} from '../../src/core/ids.js';
import type { Log } from '../../src/runtime/log.js';
import type {
  Acquired,
  Head,
  JournalEntry,
  Page,
  PageKey,
  PageWrite,
  SetAside,
  Store,
} from '../../src/storage/store.js';

/** Short ways to the values that the port speaks of. */
export const bucketOf = (bucket: number) => bucket as BucketIndex;
export const positionOf = (position: number) => position as Position;
export const producerOf = (name: string) => name as ProducerId;

export function entryAt(position: number, more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    position: positionOf(position),
    producer: producerOf('producer'),
    birthMs: 1000,
    seq: position as Seq,
    atMs: 2000 + position,
    sealedAtMs: 1500.25 + position,
    payload: contentFor(`entry ${position}`, 40),
    ...more,
  };
}

export function keyOf(tab: string, client = ''): PageKey {
  return { tab: tab as TabName, client: client as ClientId | '' };
}

export function pageOf(tab: string, client: string, position: number, bytes?: Uint8Array): Page {
  return {
    ...keyOf(tab, client),
    type: 'CounterGroup' as TabType,
    position: positionOf(position),
    bytes: bytes ?? contentFor(`${tab} ${client} ${position}`, 60),
  };
}

export function deletionOf(tab: string, client: string, position: number): PageWrite {
  return { ...keyOf(tab, client), deleted: true, position: positionOf(position) };
}

export function asideOf(seq: number, position: number, more: Partial<SetAside> = {}): SetAside {
  return {
    producer: producerOf('producer'),
    birthMs: 1000,
    seq: seq as Seq,
    position: positionOf(position),
    tab: position === 0 ? '' : ('broken' as TabName),
    client: position === 0 ? '' : ('host' as ClientId),
    events: 7,
    reason: 'does not decode',
    atMs: 3000,
    bytes: contentFor(`aside ${seq}`, 30),
    ...more,
  };
}

/** Bytes that tell where they belong, and differ all along. */
export function contentFor(text: string, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let state = 2166136261;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i % text.length), 16777619) + i;
    bytes[i] = state >>> 24;
  }
  return new Uint8Array(bytes);
}

/** Counts a bucket's writes, as its owner does. */
export class Owner {
  readonly #store: Store;
  readonly #bucket: BucketIndex;
  #token = '' as HeadToken;
  #n = 0;
  #position = 0;

  constructor(store: Store, bucket = 0) {
    this.#store = store;
    this.#bucket = bucketOf(bucket);
  }

  static async of(store: Store, bucket = 0): Promise<Owner> {
    const owner = new Owner(store, bucket);
    await owner.acquire();
    return owner;
  }

  async acquire(): Promise<Acquired> {
    const acquired = await this.#store.acquire(this.#bucket, 'owner');
    this.#token = acquired.token;
    this.#n = 0;
    this.#position = acquired.lastPosition;
    return acquired;
  }

  /** The head as it stands, for a write that must be refused; does not count. */
  head(ahead = 0): Head {
    return { bucket: this.#bucket, token: this.#token, n: this.#n + ahead };
  }

  append(more: Partial<JournalEntry> = {}): Promise<void> {
    return this.#store.append(this.#next(), entryAt(++this.#position, more));
  }

  setAside(item: SetAside): Promise<void> {
    return this.#store.setAside(this.#next(), item);
  }

  write(...writes: PageWrite[]): Promise<void> {
    return this.#store.writePages(this.#next(), writes);
  }

  trim(upTo: number): Promise<void> {
    return this.#store.trim(this.#next(), positionOf(upTo));
  }

  forget(producers: string[], horizonMs: number): Promise<void> {
    return this.#store.forget(this.#next(), producers.map(producerOf), horizonMs);
  }

  read(...keys: PageKey[]): Promise<readonly (Page | undefined)[]> {
    return this.#store.readPages(this.head(), keys);
  }

  #next(): Head {
    const head = this.head();
    this.#n++;
    return head;
  }
}

/** Keeps the names of the events logged. */
export class LogKeeper implements Log {
  readonly events: string[] = [];
  debug(event: string): void {
    this.events.push(event);
  }
  info(event: string): void {
    this.events.push(event);
  }
  warn(event: string): void {
    this.events.push(event);
  }
  error(event: string): void {
    this.events.push(event);
  }
  with(): Log {
    return this;
  }
}
