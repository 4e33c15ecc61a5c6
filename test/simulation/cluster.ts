import type { Answer, Block } from '../../src/core/block.js';
import type { BucketIndex } from '../../src/core/ids.js';
import { FrameNetwork, type Listener } from './frame-network.js';
import type { Ledger } from './ledger.js';
import { bitsOf, countOf, decodeParts } from './payload.js';
import type { Profile } from './profile.js';
import type { SimStore } from './redis/redis-store.js';
import type { Rule } from './rules.js';
import type { SimServer } from './sim-server.js';
import type { SimNode, World } from './world.js';

export interface ClusterParts {
  readonly world: World;
  readonly profile: Profile;
  readonly store: SimStore;
  readonly ledger: Ledger;
  readonly without: ReadonlySet<Rule>;
}

/** The parts of the simulated system and the network between them. */
export class Cluster implements ClusterParts {
  readonly world: World;
  readonly profile: Profile;
  readonly store: SimStore;
  readonly ledger: Ledger;
  readonly without: ReadonlySet<Rule>;
  readonly network: FrameNetwork;
  readonly servers: SimServer[] = [];

  constructor({ world, profile, store, ledger, without }: ClusterParts) {
    this.world = world;
    this.profile = profile;
    this.store = store;
    this.ledger = ledger;
    this.without = without;
    this.network = new FrameNetwork({
      world,
      cut: profile.cut,
      listener: (address) => this.#listener(address),
    });
  }

  /** Delivers, perhaps late, twice, or never. Order is not kept. What is not `repeatable` never comes twice: TCP. */
  deliver(to: SimNode, action: () => void, repeatable = true): void {
    const { world, profile } = this;
    if (world.faults && world.chance(profile.loss)) return;
    world.after(world.delayMs(4), action, to);
    if (repeatable && world.faults && world.chance(profile.repeat))
      world.after(world.delayMs(100) + world.below(9000) * world.random(), action, to);
  }

  #listener(address: string): ReturnType<Listener> {
    const server = this.servers.find((one) => one.address === address);
    const events = server?.events;
    return server === undefined || events === undefined ? undefined : { node: server.node, events };
  }

  /** To a server, which takes it to whoever holds the bucket. */
  send(from: SimNode, to: SimServer, block: Block, answered: (answer: Answer) => void): void {
    const { life } = from;
    this.deliver(to.node, () => {
      void to.take(block).then((answer) => {
        this.world.log(() => `${to.address}: ${describe(block)} -> ${JSON.stringify(answer)}`);
        this.deliver(from, () => {
          if (from.life === life) answered(answer);
        });
      });
    });
  }

  /** Who serves the bucket, by the store's word. */
  holder(bucket: BucketIndex): SimServer | undefined {
    return this.servers.find((server) => server.serves(bucket));
  }

  someServer(): SimServer {
    return this.servers[this.world.below(this.servers.length)]!;
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
