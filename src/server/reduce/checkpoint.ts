import type { Position } from '../../core/ids.js';
import type { Turn } from '../../runtime/turn.js';
import type { Page } from '../../storage/store.js';
import type { Slot } from './slot.js';
import type { States } from './states.js';

/** Pages written in one step: large enough for one commit, small enough not to hold up the others. */
const pagesPerWrite = 256;
const bytesPerWrite = 1 << 20;

export interface CheckpointTarget {
  readonly states: States;
  readonly turn: Turn;
  /** Last position that has been applied. */
  appliedPosition(): Position;
  /** Last position up to which the journal was trimmed. */
  trimmedPosition(): Position;
  write(pages: readonly Page[]): Promise<void>;
  trim(upTo: Position): Promise<void>;
}

/**
 * Writes every State that contains more than its page, and trims the journal to what is still needed (R5, R6). Events
 * go on being applied meanwhile: a State and its position are taken in one step, and what comes in after that step
 * stays dirty. Rejects when the bucket was lost: then nothing may be concluded.
 */
export async function checkpoint(target: CheckpointTarget): Promise<void> {
  const { states, turn } = target;
  const waiting = states.dirtySlots();
  let next = 0;
  while (next < waiting.length) {
    // Not between a snapshot and its write: a page that is deleted meanwhile would come back.
    if (turn.isOver) await turn.pause();
    const slots: Slot[] = [];
    const pages: Page[] = [];
    let bytes = 0;
    while (next < waiting.length && pages.length < pagesPerWrite && bytes < bytesPerWrite) {
      const slot = waiting[next++]!;
      const page = snapshot(states, slot);
      if (page === undefined) continue;
      slots.push(slot);
      pages.push(page);
      bytes += page.bytes.length;
    }
    if (pages.length === 0) continue;
    await target.write(pages);
    for (const [index, slot] of slots.entries()) {
      // Deleted meanwhile: it has no page any more.
      if (states.find(slot.tab, slot.owner) === slot) states.written(slot, pages[index]!.position);
    }
  }
  const bound = trimBound(states, target.appliedPosition());
  if (bound > target.trimmedPosition()) await target.trim(bound);
}

/** Content and position in one step (R5). */
export function snapshot(states: States, slot: Slot): Page | undefined {
  const { handler } = slot.tabSlots;
  if (handler === undefined || slot.dirtyFrom === 0 || !slot.isInMemory) return undefined;
  const { tab, type, owner, position } = slot;
  slot.dirtySinceSnapshot = 0 as Position;
  return { tab, client: owner, type, position, bytes: states.pageOf(slot, handler) };
}

/** Up to where every State's page contains every entry: what may be trimmed (R6). */
export function trimBound(states: States, appliedPosition: Position): Position {
  let bound: number = appliedPosition;
  for (const { dirtyFrom } of states.dirtySlots()) bound = Math.min(bound, dirtyFrom - 1);
  return bound as Position;
}
