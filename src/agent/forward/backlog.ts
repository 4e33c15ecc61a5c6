import type { Block, BlockRejection } from '../../core/block.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { ClientId, TabName, TabType } from '../../core/ids.js';
import { PartMap } from '../../core/parts.js';
import type { Counts } from '../../intake/counts.js';
import type { Replayed } from '../spool/replay.js';

/** What an agent holds before it has met a server: Parts that merge by tab, and the Blocks that its spool had. */
export class Backlog {
  readonly parts: PartMap;
  readonly blocks: readonly Block[];
  /** Bucket count that `blocks` were numbered under; 0 where there is none. */
  readonly bucketCount: number;
  #rejectedEvents = 0;

  constructor(registry: HandlerRegistry, restored: Replayed | undefined) {
    this.parts = restored?.parts ?? new PartMap(registry);
    this.blocks = restored?.open ?? [];
    this.bucketCount = restored?.bucketCount ?? 0;
  }

  get events(): number {
    return this.blocks.reduce((sum, block) => sum + block.events, this.parts.events);
  }

  get rejected(): Counts {
    return this.#rejectedEvents === 0 ? {} : { type_conflict: this.#rejectedEvents };
  }

  typeOf(tab: TabName): TabType | undefined {
    return this.parts.typeOf(tab);
  }

  holds(tab: TabName, client: ClientId): boolean {
    return this.parts.has(tab, client);
  }

  /** Takes Parts over: `parts` is empty afterwards. @returns Parts that cannot wait beside what waits already */
  add(parts: PartMap): readonly BlockRejection[] {
    const rejections: BlockRejection[] = [];
    parts.giveAway(({ name, handler, clients }) => {
      const waiting = this.parts.typeOf(name);
      if (waiting === undefined || waiting === handler.type) return this.parts;
      const message = `${name} waits to be sent as ${waiting}, not as ${handler.type}`;
      for (const [client, { events }] of clients) {
        rejections.push({ tab: name, client, events, code: 'type_conflict', message });
        this.#rejectedEvents += events;
      }
      return undefined;
    });
    return rejections;
  }
}
