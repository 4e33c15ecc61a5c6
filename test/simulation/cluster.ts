import type { Answer, Block } from '../../src/core/block.js';
import type { BucketIndex } from '../../src/core/ids.js';
import type { Log } from '../../src/runtime/log.js';
import type { Ledger } from './ledger.js';
import { bitsOf, bucketCount, countOf, decodeParts } from './payload.js';
import type { Rule } from './rules.js';
import type { SimServer } from './sim-server.js';
import type { SimStore } from './sim-store.js';
import type { SimNode, World } from './world.js';

/** What kind of trouble a history has; drawn at its beginning. */
export interface Profile {
  readonly unknown: number;
  readonly late: number;
  readonly loss: number;
  readonly repeat: number;
  /** How often per 100 ms each of these happens. */
  readonly agentCrash: number;
  readonly serverCrash: number;
  readonly freeze: number;
  readonly move: number;
  readonly failOver: number;
  readonly diskFull: number;
  readonly forget: number;
  readonly compaction: number;
  readonly deletedSpool: number;
  /** All servers get SIGTERM at once. */
  readonly restart: number;
  readonly recompute: number;
  /** Half of the tabs are CounterGroups. */
  readonly groups: boolean;
  /** The store loses what it called durable. */
  readonly storeLoss: boolean;
  readonly maxStates: number;
}

/** The parts of the simulated system and the network between them. */
export class Cluster {
  readonly world: World;
  readonly profile: Profile;
  readonly store: SimStore;
  readonly ledger: Ledger;
  readonly without: ReadonlySet<Rule>;
  readonly servers: SimServer[] = [];
  /** Who should own each bucket. */
  readonly assigned: number[] = Array.from({ length: bucketCount }, () => 0);

  constructor(world: World, profile: Profile, store: SimStore, ledger: Ledger, without: ReadonlySet<Rule>) {
    this.world = world;
    this.profile = profile;
    this.store = store;
    this.ledger = ledger;
    this.without = without;
  }

  /** Delivers, perhaps late, twice, or never. Order is not kept. What is not `repeatable` never comes twice: TCP. */
  deliver(to: SimNode, action: () => void, repeatable = true): void {
    const { world, profile } = this;
    if (world.faults && world.chance(profile.loss)) return;
    world.after(world.delayMs(4), action, to);
    if (repeatable && world.faults && world.chance(profile.repeat))
      world.after(world.delayMs(100) + this.world.below(9000) * world.random(), action, to);
  }

  /** To whoever owns the bucket, as far as the sender knows. */
  route(from: SimNode, block: Block, answered: (answer: Answer) => void): void {
    const { world } = this;
    const known = this.assigned[block.bucket]!;
    const index = world.faults && world.chance(0.05) ? 1 - known : known;
    const server = this.servers[index]!;
    const { life } = from;
    this.deliver(server.node, () => {
      void server.take(block).then((answer) => {
        world.log(() => `${server.node.name}: ${describe(block)} -> ${JSON.stringify(answer)}`);
        this.deliver(from, () => {
          if (from.life === life) answered(answer);
        });
      });
    });
  }

  otherBucket(): BucketIndex {
    return this.world.below(bucketCount) as BucketIndex;
  }
}

/** Such as `8263/1#2 (t3 c1: 0 2)`: producer, bucket, number, and the bits of the events in it. */
export function describe({ producer, bucket, seq, payload }: Block): string {
  const content: string[] = [];
  for (const { tab, client, state } of decodeParts(payload).entries()) {
    content.push(`${tab} ${client}: ${bitsOf(countOf(state).total).join(' ')}`);
  }
  return `${producer.slice(0, 4)}/${bucket}#${seq} (${content.join(', ')})`;
}

export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silent,
};
