import type { BucketIndex } from '../../../src/core/ids.js';
import type { HostAndPort } from '../../../src/storage/redis/options.js';
import type { Topology } from '../../../src/storage/redis/topology.js';
import type { SimNode, World } from '../world.js';
import type { SimShard } from './shard.js';

export interface SimTopologyOptions {
  readonly world: World;
  readonly shards: readonly SimShard<never>[];
  readonly node: SimNode;
  shardOf(bucket: BucketIndex): number;
}

/** What one server hears from the sentinels: late, from one that knows nothing yet, or not at all. */
export function simTopology({ world, shards, node, shardOf }: SimTopologyOptions): Topology {
  const { life } = node;
  const byName = new Map(shards.map((shard) => [shard.name, shard] as const));
  return {
    shards: [...byName.keys()],
    hasSlots: false,
    bucketsOf: () => '',
    shardOf: (bucket) => shards[shardOf(bucket)]!.name,
    controlShard: shards[0]!.name,
    keepsMeta: () => true,
    locate: (name) => {
      return new Promise<HostAndPort>((resolve, reject) => {
        if (node.life !== life) return;
        const silent = world.faults && world.chance(0.05);
        const answer = (): void => {
          if (silent) reject(new Error('no sentinel answers'));
          else resolve(byName.get(name)!.ask().at);
        };
        world.after(world.delayMs(10), answer, node);
      });
    },
    onMove: (moved) => {
      for (const shard of shards) {
        shard.onMove((to) => {
          if (node.life !== life || (world.faults && world.chance(0.3))) return;
          world.after(world.delayMs(50), () => moved(shard.name, to.at), node);
        });
      }
    },
    close: () => {},
  };
}
