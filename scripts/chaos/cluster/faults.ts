import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from '../../process/child.js';
import type { Daemon } from '../../process/daemon.js';
import type { FaultKind } from './fault.js';
import { heldBack } from './hold.js';
import { redisFaults } from './redis-faults.js';

/** Every second pause is longer than the 3 s after which a server is taken to be dead. */
const shortPauseMs = [200, 2500] as const;
const longPauseMs = [3500, 8000] as const;
const downMs = [0, 3000] as const;
const startAgainAfterMs = 500;
const startDeadlineMs = 120_000;

const agents = ['agent1', 'agent2'] as const;
const entrances = ['fe1', 'fe2'] as const;
const owners = ['be1', 'be2', 'be3'] as const;
const others = ['ctrl1'] as const;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * Starts it as a supervisor does: a server that finds a shard without a master ends, and is started again.
 *
 * @throws when it has not started after a while
 */
async function supervised(daemon: Daemon, tell: (line: string) => void): Promise<void> {
  const deadline = performance.now() + startDeadlineMs;
  for (;;) {
    try {
      return await daemon.start();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      tell(`  ${(error as Error).message.split('\n').at(-1)}`);
      await pause(startAgainAfterMs);
    }
  }
}

/** SIGKILL, then started again on its port. */
function kill(names: readonly string[], victims = 1): FaultKind {
  return (random) => {
    const hit = random.shuffled(names).slice(0, victims);
    const backAfterMs = hit.map(() => random.integer(...downMs));
    const back = backAfterMs.map(seconds).join(' and ');
    return {
      name: `kill ${hit.join(' and ')}, back after ${back}`,
      locks: hit,
      run: async ({ taba }, tell) => {
        await Promise.all(
          hit.map(async (name, index) => {
            const { daemon } = taba.node(name);
            await daemon.kill();
            await pause(backAfterMs[index]!);
            await supervised(daemon, tell);
          }),
        );
      },
    };
  };
}

/** SIGSTOP and SIGCONT. */
function freeze(names: readonly string[], [leastMs, mostMs]: readonly [number, number]): FaultKind {
  return (random) => {
    const hit = random.pick(names);
    const forMs = random.integer(leastMs, mostMs);
    return {
      name: `freeze ${hit} for ${seconds(forMs)}`,
      locks: [hit],
      run: ({ taba }) => frozen(taba.node(hit).daemon, forMs),
    };
  };
}

async function frozen(child: Child, forMs: number): Promise<void> {
  child.freeze();
  await pause(forMs);
  child.thaw();
}

/** SIGTERM: a deployment. */
function replace(names: readonly string[]): FaultKind {
  return (random) => {
    const hit = random.pick(names);
    return {
      name: `stop ${hit} in good order, and start it again`,
      locks: [hit],
      run: async ({ taba }, tell) => {
        const { daemon } = taba.node(hit);
        const code = await daemon.stop();
        if (code !== 0) throw new Error(`${hit} ended with ${code} on SIGTERM`);
        await supervised(daemon, tell);
      },
    };
  };
}

/** Every connection through one of the proxies, several times. */
function cut(what: string, names: readonly string[]): FaultKind {
  return (random) => {
    const hits = Array.from({ length: random.integer(1, 5) }, () => ({
      name: random.pick(names),
      afterMs: random.integer(10, 300),
    }));
    return {
      name: `cut ${what}: ${hits.map(({ name }) => name).join(', ')}`,
      locks: [],
      run: async ({ proxies }) => {
        for (const { name, afterMs } of hits) {
          proxies.get(name)!.cut();
          await pause(afterMs);
        }
      },
    };
  };
}

/** Bytes vanish on the way to one process, without either side being told; then the connections break. */
function hold(what: string, names: readonly string[]): FaultKind {
  return (random) => {
    const hit = random.pick(names);
    const forMs = random.integer(200, 5000);
    return {
      name: `hold back the bytes ${what} ${hit} for ${seconds(forMs)}, then cut`,
      locks: [`the way to ${hit}`],
      run: (system) => heldBack(system.proxy(hit), forMs),
    };
  };
}

const redisServers = ['shard1-a', 'shard1-b', 'shard2-a', 'shard2-b'] as const;

const nodeFaults: readonly FaultKind[] = [
  kill(agents),
  kill(entrances),
  kill(owners),
  kill(owners, 2),
  kill(owners, owners.length),
  kill(others),
  freeze(agents, longPauseMs),
  freeze(entrances, longPauseMs),
  freeze(owners, shortPauseMs),
  freeze(owners, longPauseMs),
  freeze(owners, longPauseMs),
  freeze(others, longPauseMs),
  replace(agents),
  replace(entrances),
  replace(owners),
];

const networkFaults: readonly FaultKind[] = [
  cut('applications from agents', agents),
  cut('agents from servers', entrances),
  cut('servers from servers', owners),
  cut('servers from Redis', redisServers),
  hold('to', agents),
  hold('to', entrances),
  hold('to', owners),
];

/** What each deck holds; they are dealt from in this order, again and again, so that even a short run has some of each. */
export const faultDecks = {
  nodes: nodeFaults,
  network: networkFaults,
  redis: redisFaults,
} as const;
export const dealingOrder = ['nodes', 'network', 'nodes', 'redis'] as const;
