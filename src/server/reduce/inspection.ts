import type { ClientId, TabName, TabType } from '../../core/ids.js';
import { decodeState, isOutdated } from '../../wire/state.js';
import type { BucketOwner } from './bucket-owner.js';
import { chunks, recompute, withStates } from './maintenance.js';
import type { Slot } from './slot.js';

/** Something that is not as it should be with a page. */
export interface Finding {
  readonly bucket: number;
  readonly tab: TabName;
  /** '' for the State over all clients. */
  readonly client: ClientId | '';
  readonly type: TabType;
  readonly problem: string;
  readonly repaired: boolean;
}

const pagesPerGo = 256;

/**
 * Reads and decodes every page of the bucket. With `repair`, damaged pages are kept aside and begun anew, and States over
 * all clients are made again of what there is.
 */
export async function check(owner: BucketOwner, repair: boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  const damaged: Slot[] = [];
  await eachPage(owner, (slot, bytes, position) => {
    const problem = faultOf(owner, slot, bytes, position);
    if (problem === undefined) return;
    const { tab, type } = slot;
    findings.push({ bucket: owner.bucket, tab, client: slot.owner, type, problem, repaired: repair });
    damaged.push(slot);
  });
  if (!repair || damaged.length === 0) return findings;
  // Loading a damaged page keeps it aside and begins the State anew.
  for (const slots of chunks(damaged, pagesPerGo)) await withStates(owner, slots, () => {});
  if (damaged.some((slot) => slot.owner === '')) await recompute(owner);
  await owner.checkpoint();
  return findings;
}

function faultOf(
  owner: BucketOwner,
  slot: Slot,
  bytes: Uint8Array | undefined,
  position: number,
): string | undefined {
  const handler = slot.tabSlots.handler;
  if (bytes === undefined) return 'the page is missing';
  if (position > owner.appliedPosition) return `contains entry ${position} of ${owner.appliedPosition}`;
  if (handler === undefined) return `no handler for ${slot.type} is loaded`;
  try {
    decodeState(handler, bytes);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Writes States anew that an older version of their Handler wrote. @returns how many */
export async function upgrade(owner: BucketOwner): Promise<number> {
  const outdated: Slot[] = [];
  await eachPage(owner, (slot, bytes) => {
    const handler = slot.tabSlots.handler;
    if (handler !== undefined && bytes !== undefined && isOutdated(handler, bytes)) outdated.push(slot);
  });
  for (const slots of chunks(outdated, pagesPerGo)) {
    await withStates(owner, slots, () => {
      for (const slot of slots) if (slot.isInMemory) owner.states.touched(slot, slot.position);
    });
    await owner.checkpoint();
  }
  return outdated.length;
}

async function eachPage(
  owner: BucketOwner,
  look: (slot: Slot, bytes: Uint8Array | undefined, position: number) => void,
): Promise<void> {
  const stored: Slot[] = [];
  for (const tabSlots of owner.states.tabs()) {
    for (const slot of tabSlots) if (slot.storedPosition > 0) stored.push(slot);
  }
  for (const slots of chunks(stored, pagesPerGo)) {
    await owner.exclusively(async () => {
      const present = slots.filter((slot) => owner.states.find(slot.tab, slot.owner) === slot);
      const pages = await owner.readPages(present.map(({ tab, owner: whose }) => ({ tab, client: whose })));
      for (const [index, slot] of present.entries()) {
        const page = pages[index];
        look(slot, page?.bytes, page?.position ?? 0);
      }
    });
  }
}
