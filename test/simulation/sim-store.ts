import { TabaError } from '../../src/core/errors.js';
import type { BucketIndex, HeadToken, Position, ProducerId } from '../../src/core/ids.js';
import {
  type Acquired,
  type Head,
  HeadMismatch,
  type JournalEntry,
  type Page,
  type ProducerRow,
  retiredSeq,
  type SetAside,
  type Store,
} from '../../src/storage/store.js';
import type { Rule } from './rules.js';
import { epochMs, type SimNode, type World } from './world.js';

/** One bucket as one machine has it. */
interface BucketCopy {
  token: HeadToken | undefined;
  n: number;
  lastPosition: number;
  horizonMs: number;
  journal: JournalEntry[];
  pages: Map<string, Page>;
  producers: Map<ProducerId, ProducerRow>;
  aside: SetAside[];
}

interface SimBucket {
  master: BucketCopy;
  /** What has become durable: all that is left after a fail-over. */
  replica: BucketCopy;
  /** Counts the fail-overs: writes of before never become durable. */
  generation: number;
  lastDurableMs: number;
}

export interface StoreFaults {
  /** An outcome that is not told: carried out or not. */
  readonly unknown: number;
  /** Carried out long after it was given up. */
  readonly late: number;
}

const timeoutMs = 300;

/** A store with a replica, reached over a bad network. Each server has its own connection. */
export class SimStore {
  readonly #world: World;
  readonly #faults: StoreFaults;
  readonly #without: ReadonlySet<Rule>;
  readonly #buckets: SimBucket[];
  fullUntilMs = 0;

  constructor(world: World, bucketCount: number, faults: StoreFaults, without: ReadonlySet<Rule>) {
    this.#world = world;
    this.#faults = faults;
    this.#without = without;
    this.#buckets = Array.from({ length: bucketCount }, () => {
      return { master: emptyCopy(), replica: emptyCopy(), generation: 0, lastDurableMs: 0 };
    });
  }

  /** The replica takes over: whatever had not reached it is gone, and was never acknowledged. */
  failOver(bucket: number): void {
    const it = this.#buckets[bucket]!;
    it.master = cloneCopy(it.replica);
    it.generation++;
    this.#world.log(() => `store: bucket ${bucket} fails over`);
  }

  /** The store loses what it called durable: the journal's last entry and all that its append set. Only where k was too small. */
  loseSuffix(bucket: number, backup: unknown): void {
    const it = this.#buckets[bucket]!;
    it.replica = cloneCopy(backup as BucketCopy);
    this.failOver(bucket);
  }

  backup(bucket: number): unknown {
    return cloneCopy(this.#buckets[bucket]!.replica);
  }

  connect(node: SimNode): Store {
    const lastExecutionMs = new Map<number, number>();
    const command = <T>(
      bucket: BucketIndex,
      durable: boolean,
      carryOut: (copy: BucketCopy) => T,
    ): Promise<T> => this.#command(node, lastExecutionMs, bucket, durable, carryOut);
    const guarded = (head: Head, change: (copy: BucketCopy) => void): Promise<void> =>
      command(head.bucket, true, (copy) => {
        this.#guard(copy, head);
        change(copy);
      });
    const opened = { bucketCount: this.#buckets.length, damage: [], durability: 'simulated' };
    return {
      engine: 'memory',
      opened,
      acquire: (bucket) => {
        const token = this.#world.id() as HeadToken;
        return command(bucket, true, (copy) => {
          this.#world.log(
            () => `store: ${node.name} acquires bucket ${bucket}, ${copy.producers.size} producers`,
          );
          return acquire(copy, token);
        });
      },
      append: (head, entry) => guarded(head, (copy) => append(copy, entry)),
      setAside: (head, item) =>
        guarded(head, (copy) => {
          copy.aside.push(item);
          if (item.position === 0) copy.producers.set(item.producer, rowOf(item));
        }),
      readPages: (head, keys) =>
        command(head.bucket, false, (copy) => {
          if (copy.token !== head.token) throw new HeadMismatch(head.bucket);
          return keys.map(({ tab, client }) => copy.pages.get(`${tab}\n${client}`));
        }),
      writePages: (head, writes) =>
        guarded(head, (copy) => {
          this.#world.log(() => {
            const text = writes.map((page) => `${page.tab} ${page.client || '*'} at ${page.position}`);
            return `store: pages ${text.join(', ')}`;
          });
          for (const write of writes) {
            const key = `${write.tab}\n${write.client}`;
            const known = copy.pages.get(key);
            if (known !== undefined && known.position > write.position) continue;
            if ('deleted' in write) copy.pages.delete(key);
            else copy.pages.set(key, write);
          }
        }),
      trim: (head, upTo) =>
        guarded(head, (copy) => {
          copy.journal = copy.journal.filter(({ position }) => position > upTo);
        }),
      forget: (head, producers, horizonMs) =>
        guarded(head, (copy) => {
          for (const producer of producers) copy.producers.delete(producer);
          copy.horizonMs = Math.max(copy.horizonMs, horizonMs);
        }),
      listSetAside: async (bucket) => this.#buckets[bucket]!.master.aside,
      stats: () => ({ journalEntries: 0, journalBytes: 0, pages: 0, bytesOnDisk: 0, commits: 0 }),
      close: async () => {},
    };
  }

  #guard(copy: BucketCopy, head: Head): void {
    const token = copy.token === head.token || this.#without.has('R1-token');
    const n = copy.n === head.n || this.#without.has('R1-n');
    if (!token || !n) throw new HeadMismatch(head.bucket);
    copy.n++;
  }

  #giveUp(node: SimNode, reject: (error: Error) => void): void {
    this.#world.after(timeoutMs, () => reject(new TabaError('store_failed', 'no answer')), node);
  }

  #command<T>(
    node: SimNode,
    lastExecutionMs: Map<number, number>,
    bucket: BucketIndex,
    durable: boolean,
    carryOut: (copy: BucketCopy) => T,
  ): Promise<T> {
    const world = this.#world;
    const it = this.#buckets[bucket]!;
    return new Promise<T>((resolve, reject) => {
      const unknown = world.faults && world.chance(this.#faults.unknown);
      const late = world.faults && world.chance(this.#faults.late);
      if (unknown && world.chance(0.5)) {
        this.#giveUp(node, reject);
        return;
      }
      // One connection keeps the order of its commands, except for one that was given up and lands long after.
      const inTurnMs = Math.max(world.nowMs + world.delayMs(5), lastExecutionMs.get(bucket) ?? 0);
      const atMs = late ? world.nowMs + timeoutMs + world.delayMs(400) : inTurnMs;
      if (!late) lastExecutionMs.set(bucket, atMs);
      if (late || unknown) this.#giveUp(node, reject);
      world.after(atMs - world.nowMs, () => {
        if (this.fullUntilMs > world.nowMs && durable) {
          world.after(
            world.delayMs(5),
            () => reject(new TabaError('store_failed', 'the disk is full')),
            node,
          );
          return;
        }
        let result: T;
        try {
          result = carryOut(it.master);
        } catch (error) {
          world.after(world.delayMs(5), () => reject(error), node);
          return;
        }
        if (!durable) {
          world.after(world.delayMs(5), () => resolve(result), node);
          return;
        }
        const { generation } = it;
        const durableMs = Math.max(world.nowMs + world.delayMs(10), it.lastDurableMs);
        it.lastDurableMs = durableMs;
        world.after(durableMs - world.nowMs, () => {
          if (it.generation !== generation) return this.#giveUp(node, reject);
          carryOut(it.replica);
          world.after(world.delayMs(5), () => resolve(result), node);
        });
      });
    });
  }
}

function emptyCopy(): BucketCopy {
  const journal: JournalEntry[] = [];
  const plain = { token: undefined, n: 0, lastPosition: 0, horizonMs: epochMs - 1, journal, aside: [] };
  return { ...plain, pages: new Map(), producers: new Map() };
}

function cloneCopy(copy: BucketCopy): BucketCopy {
  return {
    ...copy,
    journal: [...copy.journal],
    aside: [...copy.aside],
    pages: new Map(copy.pages),
    producers: new Map(copy.producers),
  };
}

function acquire(copy: BucketCopy, token: HeadToken): Acquired {
  copy.token = token;
  copy.n = 0;
  const pages = [...copy.pages.values()].map(({ tab, client, type, position }) => ({
    tab,
    client,
    type,
    position,
  }));
  return {
    token,
    tail: [...copy.journal],
    lastPosition: copy.lastPosition as Position,
    producers: [...copy.producers.values()],
    forgetHorizonMs: copy.horizonMs,
    pages,
    setAside: copy.aside.filter(({ position }) => position > 0),
  };
}

function append(copy: BucketCopy, entry: JournalEntry): void {
  copy.journal.push(entry);
  copy.lastPosition = entry.position;
  copy.producers.set(entry.producer, rowOf(entry));
  if (entry.retires === undefined) return;
  copy.producers.set(entry.retires, { ...rowOf(entry), producer: entry.retires, lastSeq: retiredSeq });
}

function rowOf({ producer, birthMs, seq, atMs }: JournalEntry | SetAside): ProducerRow {
  return { producer, birthMs, lastSeq: seq, lastAtMs: atMs };
}
