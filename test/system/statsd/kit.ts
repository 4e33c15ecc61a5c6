import type { Test } from 'tap';
import type { RunningAgent } from '../../../src/agent/agent.js';
import type { AgentOptions } from '../../../src/agent/options.js';
import { defaultLimits } from '../../../src/core/limits.js';
import { Mapping } from '../../../src/intake/mapping/mapping.js';
import { readRules } from '../../../src/intake/mapping/mapping-rule.js';
import { agentOf } from '../../agent/agent-kit.js';
import { handlers } from '../../agent/fake-servers.js';
import { balanced, handedOver, json, serverOf, until } from '../kit.js';

/** An agent that takes StatsD, before a server of its own. */
export interface StatsdBench {
  readonly agent: RunningAgent;
  readonly port: number;
  /** Waits until so many events have come in. */
  caughtUp(events: number): Promise<void>;
  /** Waits until so many events have come in and are with the server; then everybody's books have to balance. */
  arrived(events: number): Promise<void>;
  /** What the server shows of a tab, as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server answered, to be matched by the test
  tab(name: string): Promise<any>;
}

export function mappingOf(rules: readonly unknown[]): Mapping {
  const context = { registry: handlers, maxExpressionBytes: defaultLimits.maxExpressionBytes };
  return new Mapping(readRules(rules, context));
}

export async function statsdBench(
  t: Test,
  rules: readonly unknown[] = [],
  options: Partial<AgentOptions> = {},
  socket?: string,
): Promise<StatsdBench> {
  const server = await serverOf(t);
  const { agent } = await agentOf(t, {
    servers: [server.url],
    statsd: {
      ...{ port: 0, receiveBufferBytes: 2 ** 20, mapping: mappingOf(rules) },
      ...(socket !== undefined && { socket }),
    },
    ...options,
  });
  const cameIn = async (events: number): Promise<void> => {
    await until(`${events} events`, () => agent.status().books.received >= events);
  };
  return {
    agent,
    port: agent.status().statsd!.port!,
    caughtUp: cameIn,
    arrived: async (events) => {
      await cameIn(events);
      await handedOver({ agent });
      t.equal(agent.status().books.received, events, 'no event more');
      balanced(t, { server, agent });
    },
    tab: async (name) => (await json(`${server.url}/tabs?name=${encodeURIComponent(name)}`)).json?.[name],
  };
}
