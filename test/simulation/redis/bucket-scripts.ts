import type { BucketIndex, HeadToken, Position, ProducerId } from '../../../src/core/ids.js';
import {
  type Acquired,
  type Head,
  type JournalEntry,
  type Page,
  type PageKey,
  type PageWrite,
  type ProducerRow,
  retiredSeq,
  type SetAside,
} from '../../../src/storage/store.js';
import type { Rule } from '../rules.js';
import { epochMs } from '../world.js';
import { type Effective, refusal } from './link.js';

const otherHead = refusal('TABA_HEAD');

/** One bucket as one Redis has it. */
export interface BucketCopy {
  token: HeadToken | undefined;
  n: number;
  lastPosition: number;
  horizonMs: number;
  journal: JournalEntry[];
  pages: Map<string, Page>;
  producers: Map<ProducerId, ProducerRow>;
  aside: SetAside[];
}

/** What one Lua script does to a bucket. */
export interface Script<T> extends Effective<BucketCopy, T> {
  readonly bucket: BucketIndex;
}

export function emptyCopy(): BucketCopy {
  return {
    ...{ token: undefined, n: 0, lastPosition: 0, horizonMs: epochMs - 1, journal: [], aside: [] },
    pages: new Map(),
    producers: new Map(),
  };
}

export function cloneCopy(copy: BucketCopy): BucketCopy {
  return {
    ...copy,
    journal: [...copy.journal],
    aside: [...copy.aside],
    pages: new Map(copy.pages),
    producers: new Map(copy.producers),
  };
}

/** The scripts of the Redis engine, one per verb; the rules of R1 can be taken out of their checks. */
export class BucketScripts {
  readonly #checksToken: boolean;
  readonly #checksN: boolean;
  readonly #fences: boolean;

  constructor(without: ReadonlySet<Rule>) {
    this.#checksToken = !without.has('R1-token');
    this.#checksN = !without.has('R1-n');
    this.#fences = !without.has('R1-acquire');
  }

  /** Takes the head over. The tail is read afterwards, piece by piece. */
  acquire(bucket: BucketIndex, token: HeadToken): Script<Omit<Acquired, 'tail'>> {
    const fences = this.#fences;
    return {
      bucket,
      denyOom: false,
      check: () => {},
      effect(copy) {
        if (fences || copy.token === undefined) copy.token = token;
        copy.n = 0;
      },
      result: (copy) => ({
        token: copy.token!,
        lastPosition: copy.lastPosition as Position,
        producers: [...copy.producers.values()],
        forgetHorizonMs: copy.horizonMs,
        pages: [...copy.pages.values()].map(({ tab, client, type, position }) => {
          return { tab, client, type, position };
        }),
        setAside: copy.aside.filter(({ position }) => position > 0),
      }),
    };
  }

  /** Journal entries above `after`, up to `count` of them. */
  tail(head: Head, after: number, count: number): Script<readonly JournalEntry[]> {
    return this.#reading(head, ({ journal }) => {
      return journal.filter(({ position }) => position > after).slice(0, count);
    });
  }

  pages(head: Head, keys: readonly PageKey[]): Script<readonly (Page | undefined)[]> {
    return this.#reading(head, (copy) => keys.map((key) => copy.pages.get(pageKey(key))));
  }

  append(head: Head, entry: JournalEntry): Script<void> {
    const check = (copy: BucketCopy): void => {
      if (entry.position !== copy.lastPosition + 1 && this.#checksN && this.#checksToken) {
        throw refusal(`TABA_POSITION ${entry.position} after ${copy.lastPosition}`);
      }
    };
    return this.#writing(head, check, (copy) => {
      copy.journal.push(entry);
      copy.lastPosition = entry.position;
      copy.producers.set(entry.producer, rowOf(entry));
      if (entry.retires === undefined) return;
      copy.producers.set(entry.retires, { ...rowOf(entry), producer: entry.retires, lastSeq: retiredSeq });
    });
  }

  setAside(head: Head, item: SetAside): Script<void> {
    return this.#writing(head, undefined, (copy) => {
      copy.aside.push(item);
      if (item.position === 0) copy.producers.set(item.producer, rowOf(item));
    });
  }

  writePages(head: Head, writes: readonly PageWrite[]): Script<void> {
    return this.#writing(head, undefined, (copy) => {
      for (const write of writes) {
        const key = pageKey(write);
        const known = copy.pages.get(key);
        if (known !== undefined && known.position > write.position) continue;
        if ('deleted' in write) copy.pages.delete(key);
        else copy.pages.set(key, write);
      }
    });
  }

  trim(head: Head, upTo: Position): Script<void> {
    const trim = this.#writing(head, undefined, (copy) => {
      copy.journal = copy.journal.filter(({ position }) => position > upTo);
    });
    return { ...trim, denyOom: false };
  }

  forget(head: Head, producers: readonly ProducerId[], horizonMs: number): Script<void> {
    return this.#writing(head, undefined, (copy) => {
      for (const producer of producers) copy.producers.delete(producer);
      copy.horizonMs = Math.max(copy.horizonMs, horizonMs);
    });
  }

  #writing(
    head: Head,
    also: ((copy: BucketCopy) => void) | undefined,
    effect: (copy: BucketCopy) => void,
  ): Script<void> {
    return {
      bucket: head.bucket,
      denyOom: true,
      check: (copy) => {
        const token = copy.token === head.token || !this.#checksToken;
        const n = copy.n === head.n || !this.#checksN;
        if (!token || !n) throw otherHead;
        also?.(copy);
      },
      effect(copy) {
        copy.n++;
        effect(copy);
      },
      result: () => {},
    };
  }

  #reading<T>(head: Head, result: (copy: BucketCopy) => T): Script<T> {
    const check = (copy: BucketCopy): void => {
      if (copy.token !== head.token) throw otherHead;
    };
    return { bucket: head.bucket, denyOom: false, check, effect: undefined, result };
  }
}

function pageKey({ tab, client }: PageKey): string {
  return `${tab}\n${client}`;
}

function rowOf({ producer, birthMs, seq, atMs }: JournalEntry | SetAside): ProducerRow {
  return { producer, birthMs, lastSeq: seq, lastAtMs: atMs };
}
