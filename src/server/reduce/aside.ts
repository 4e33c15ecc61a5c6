import type { Block } from '../../core/block.js';
import type { BucketIndex, Position, ProducerId, Seq } from '../../core/ids.js';
import type { JournalEntry, SetAside, Store } from '../../storage/store.js';
import type { Slot } from './slot.js';

/** Who sent it, under which number. */
export function origin({
  producer,
  birthMs,
  seq,
}: Block | JournalEntry): Pick<SetAside, 'producer' | 'birthMs' | 'seq'> {
  return { producer, birthMs, seq };
}

/** A Block that is not even a list of Parts: it takes its number, and never comes into the journal. */
export function asideBlock(block: Block, reason: string, atMs: number): SetAside {
  const { events, payload } = block;
  return {
    ...origin(block),
    position: 0 as Position,
    tab: '',
    client: '',
    events,
    reason,
    atMs,
    bytes: payload,
  };
}

/** A page that does not decode. */
export function asidePage(slot: Slot, bytes: Uint8Array, reason: string, atMs: number): SetAside {
  const { tab, owner, position } = slot;
  const nobody = { producer: '' as ProducerId, birthMs: 0, seq: 0 as Seq };
  return { ...nobody, position, tab, client: owner, events: 0, reason, atMs, bytes };
}

/** What `/check` shows of something set aside. */
export interface AsideItem {
  readonly bucket: BucketIndex;
  /** '' for a whole Block that could not be taken apart. */
  readonly tab: string;
  readonly client: string;
  readonly events: number;
  readonly reason: string;
  /** When it was set aside, ms UTC. */
  readonly atMs: number;
  /** Size of what the store keeps of it. */
  readonly bytes: number;
}

export async function listAside(store: Store, bucket: BucketIndex): Promise<AsideItem[]> {
  const items = await store.listSetAside(bucket);
  return items.map(({ tab, client, events, reason, atMs, bytes }) => ({
    ...{ bucket, tab, client, events, reason, atMs },
    bytes: bytes.length,
  }));
}
