import { addCounts, type Counts, totalOf } from '../../intake/counts.js';
import type { OwnProducer } from '../receive/own-producer.js';
import type { RawDoor } from '../receive/raw-door.js';
import type { Router } from '../receive/router.js';
import type { OwnerBooks } from '../reduce/books.js';

/** Every event that a node received from outside of the cluster is in exactly one of the others. */
export interface Books {
  readonly received: number;
  readonly buffered: number;
  readonly applied: number;
  readonly rejected: Counts;
  readonly dropped: Counts;
  /** received - all others: 0, or there is a defect. */
  readonly balance: number;
}

/** What the owners of a process did, counted by themselves. */
export interface OwnerAccount {
  readonly received: number;
  readonly pending: number;
  readonly applied: number;
  readonly rejected: Counts;
  /** Sent back because their bucket was lost; the journal knows whether they were counted. */
  readonly returned: number;
  /** Applied again from the journal after an acquisition. */
  readonly replayed: number;
  readonly kept_aside: number;
  readonly balance: number;
}

export function booksWith(books: Omit<Books, 'balance'>): Books {
  const { received, buffered, applied, rejected, dropped } = books;
  const balance = received - buffered - applied - totalOf(rejected) - totalOf(dropped);
  return { ...books, balance };
}

export function ownerAccountWith(account: Omit<OwnerAccount, 'balance'>): OwnerAccount {
  const { received, pending, applied, returned, rejected } = account;
  return { ...account, balance: received - pending - applied - returned - totalOf(rejected) };
}

/** The books of a node: its door and its own producer, and Blocks of producers elsewhere. */
export function booksOf({
  door,
  producer,
  router,
  ownEvents,
  gatheredEvents,
}: {
  readonly door: RawDoor;
  readonly producer: OwnProducer;
  readonly router: Router;
  /** Events that the node recorded about itself. */
  readonly ownEvents: number;
  /** Events of StatsD that were received and are on their way to the producer. */
  readonly gatheredEvents: number;
}): Books {
  const own = producer.account;
  const blocks = router.books;
  const { keyed } = door;
  return booksWith({
    received: door.received + ownEvents + blocks.received,
    buffered: own.unnumbered + own.open + blocks.pending + keyed.waiting + gatheredEvents,
    applied: own.delivered + blocks.applied + keyed.applied,
    rejected: addCounts(door.rejected, own.rejected, blocks.rejected),
    dropped: addCounts(
      own.dropped,
      door.dropped,
      keyed.unknown === 0 ? {} : { unacknowledged: keyed.unknown },
    ),
  });
}

export function ownerAccountOf(books: OwnerBooks): OwnerAccount {
  const { received, pending, applied, returned, replayed, keptAside } = books;
  const rejected = Object.fromEntries(books.rejected);
  return ownerAccountWith({
    received,
    pending,
    applied,
    rejected,
    returned,
    replayed,
    kept_aside: keptAside,
  });
}

/** Those of several nodes together: each balances by itself, so that it does not matter that they are of different moments. */
export function sumOfBooks(all: readonly Books[]): Books {
  return booksWith({
    received: sum(all, ({ received }) => received),
    buffered: sum(all, ({ buffered }) => buffered),
    applied: sum(all, ({ applied }) => applied),
    rejected: addCounts(...all.map(({ rejected }) => rejected)),
    dropped: addCounts(...all.map(({ dropped }) => dropped)),
  });
}

export function sumOfOwners(all: readonly OwnerAccount[]): OwnerAccount {
  return ownerAccountWith({
    received: sum(all, ({ received }) => received),
    pending: sum(all, ({ pending }) => pending),
    applied: sum(all, ({ applied }) => applied),
    rejected: addCounts(...all.map(({ rejected }) => rejected)),
    returned: sum(all, ({ returned }) => returned),
    replayed: sum(all, ({ replayed }) => replayed),
    kept_aside: sum(all, ({ kept_aside }) => kept_aside),
  });
}

export function sum<T>(all: readonly T[], of: (item: T) => number): number {
  return all.reduce((total, item) => total + of(item), 0);
}
