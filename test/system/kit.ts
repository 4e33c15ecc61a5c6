import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { AgentOptions, RunningAgent } from '../../src/agent/agent.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import { defaultLimits, type Limits } from '../../src/core/limits.js';
import { noDenyLists } from '../../src/intake/deny-lists.js';
import type { Clock } from '../../src/runtime/clock.js';
import { systemClock } from '../../src/runtime/system-clock.js';
import type { ServerOptions } from '../../src/server/options.js';
import { type RunningServer, startServer } from '../../src/server/server.js';
import { openMemoryStore } from '../../src/storage/memory/memory-store.js';
import { type Answer, agentOf, ask, until } from '../agent/agent-kit.js';
import { RecordingLog } from '../agent/recording-log.js';

export { type Answer, ask, post, until } from '../agent/agent-kit.js';

export const bucketCount = 16;

/** A server on a free port, with a store in memory unless the options have one; closed at the end of the test. */
export async function serverOf(t: Test, options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    roles: ['fe', 'be', 'ctrl'],
    heartbeatMs: 500,
    leaseMs: 3000,
    store: options.store ?? openMemoryStore({ bucketCount }),
    bucketCount,
    clientId: 'server-host',
    registry: builtinHandlers(),
    limits: defaultLimits,
    denyLists: noDenyLists,
    checkpointIntervalMs: 50,
    pruneClientSec: 172_800,
    pruneTabSec: 2_592_000,
    selfInstrument: false,
    drainDeadlineMs: 5_000,
    clock: systemClock(),
    log: new RecordingLog(),
    version: '0.0.0',
    ...options,
  });
  t.teardown(() => server.close());
  return server;
}

/** Where events are sent to: a server itself, or an agent in front of it. */
export interface Entrance {
  readonly url: string;
  readonly server: RunningServer;
  readonly agent: RunningAgent | undefined;
}

export interface EntranceOptions {
  readonly server?: Partial<ServerOptions>;
  readonly agent?: Partial<AgentOptions>;
}

/** Runs `test` once for each of the two ways in, each with a server of its own; then the books have to balance. */
export async function throughBoth(
  t: Test,
  options: () => EntranceOptions,
  test: (t: Test, entrance: Entrance) => Promise<void>,
): Promise<void> {
  for (const way of ['server', 'agent'] as const) {
    await t.test(`through the ${way}`, async (sub) => {
      const { server: ofServer, agent: ofAgent } = options();
      const server = await serverOf(sub, ofServer);
      const agent =
        way === 'agent' ? (await agentOf(sub, { servers: [server.url], ...ofAgent })).agent : undefined;
      const entrance = { url: agent?.url ?? server.url, server, agent };
      await test(sub, entrance);
      await handedOver(entrance);
      balanced(sub, entrance);
    });
  }
}

/** Resolves when the agent holds nothing any more: everything that it took is with the server. */
export async function handedOver({ agent }: Pick<Entrance, 'agent'>): Promise<void> {
  if (agent !== undefined) await until('the agent is empty', () => agent.status().books.buffered === 0);
}

export function balanced(t: Test, { server, agent }: Pick<Entrance, 'server' | 'agent'>): void {
  const { books, owners } = server.status();
  t.equal(books.balance, 0, 'the books of the server balance');
  t.equal(owners.balance, 0, 'the books of the owners balance');
  if (agent !== undefined) t.equal(agent.status().books.balance, 0, 'the books of the agent balance');
}

/** A body of protocol v1: client -> tab -> event lines. */
export function v1(clients: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>): string {
  const blocks = Object.entries(clients).map(([client, tabs]) => {
    const its = Object.entries(tabs).map(([tab, events]) => `${tab}\n${events.join('\n')}\n\n`);
    return `${client}\n\n${its.join('')}\n`;
  });
  return `1\n\n${blocks.join('')}`;
}

export function json(url: string): Promise<Answer> {
  return ask(url, { headers: { accept: 'application/json' } });
}

/** How many events a TotalsCounter holds; 0 for a tab that is not known. */
export async function totalOf(server: RunningServer, tab: string, client?: string): Promise<number> {
  const whose = client === undefined ? '' : `&client=${client}`;
  const answer = await json(`${server.url}/tabs?name=${tab}${whose}`);
  return answer.status === 404 ? 0 : (answer.json[tab]?.count ?? 0);
}

export function folder(t: Test): string {
  const made = mkdtempSync(join(tmpdir(), 'taba-system-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export function limitsWith(changes: Partial<Limits>): Limits {
  return { ...defaultLimits, ...changes };
}

/** A clock whose wall time stands where a test puts it, while its timers run as they should. */
export class SetClock implements Clock {
  readonly #timers = systemClock();
  wallMs: number;

  constructor(wallMs = 1_700_006_400_000) {
    this.wallMs = wallMs;
  }

  nowMs(): number {
    return this.wallMs;
  }

  monotonicMs(): number {
    return this.#timers.monotonicMs();
  }

  soon(action: () => void): void {
    this.#timers.soon(action);
  }

  after(delayMs: number, action: () => void): () => void {
    return this.#timers.after(delayMs, action);
  }
}
