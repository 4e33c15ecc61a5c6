import type { Test } from 'tap';
import { type AgentOptions, type RunningAgent, startAgent } from '../../src/agent/agent.js';
import { defaultLimits } from '../../src/core/limits.js';
import { noDenyLists } from '../../src/intake/deny-lists.js';
import { systemClock } from '../../src/runtime/system-clock.js';
import { handlers } from './fake-servers.js';
import { RecordingLog } from './recording-log.js';

/** An agent on a free port, closed at the end of the test. Nobody listens where it sends to, unless the options say so. */
export async function agentOf(
  t: Test,
  options: Partial<AgentOptions> = {},
): Promise<{ readonly agent: RunningAgent; readonly log: RecordingLog }> {
  const log = new RecordingLog();
  const agent = await startAgent({
    host: '127.0.0.1',
    port: 0,
    servers: ['http://127.0.0.1:9'],
    spoolMaxAgeMs: 86_400_000,
    flushIntervalMs: 20,
    clientId: 'host',
    registry: handlers,
    limits: defaultLimits,
    denyLists: noDenyLists,
    drainDeadlineMs: 0,
    selfInstrument: false,
    version: '0.0.0',
    clock: systemClock(),
    log,
    ...options,
  });
  t.teardown(() => agent.close(0));
  return { agent, log };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the agent answered, to be matched by the test
  readonly json: any;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000), ...init });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

export function post(
  url: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(url, { method: 'POST', body: body as never, headers });
}

/** A v1 body with one event for each line, of one client. */
export function v1Body(lines: Readonly<Record<string, readonly string[]>>, client = 'c'): string {
  const tabs = Object.entries(lines).map(([tab, events]) => `${tab}\n${events.join('\n')}\n\n`);
  return `1\n\n${client}\n\n${tabs.join('')}\n`;
}

/** Waits until `found` gives something; looks every few ms, for at most 20 s. */
export async function until<T>(
  what: string,
  found: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + 20_000;
  for (;;) {
    const value = await found();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
