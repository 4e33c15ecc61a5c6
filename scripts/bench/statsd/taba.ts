import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon } from '../../process/daemon.js';
import { freePort } from '../../process/free-port.js';
import { TemporaryFolder } from '../../process/temporary-folder.js';
import type { Shown, StatsdProgram } from './program.js';
import { nameOf, type Traffic, totalOf } from './traffic.js';

interface AgentStatus {
  readonly books: { readonly received: number; readonly buffered: number; readonly balance: number };
  readonly statsd: { readonly datagrams: number; readonly datagrams_dropped: number | null };
}

/** An agent, and a server on the embedded store behind it. @param taba how to run the executable */
export async function startTaba(taba: readonly string[]): Promise<StatsdProgram> {
  const folder = await TemporaryFolder.create('taba-bench-');
  const [serverPort, agentPort, port] = [await freePort(), await freePort(), await freePort()];
  const [serverUrl, agentUrl] = [`http://127.0.0.1:${serverPort}`, `http://127.0.0.1:${agentPort}`];
  const common = ['--log-format', 'json', '--no-self-instrument'];
  const data = ['--data', join(folder.path, 'data')];
  const server = new Daemon('server', [
    ...taba,
    ...['server', '--port', String(serverPort), ...data, ...common],
  ]);
  const agent = new Daemon('agent', [
    ...taba,
    ...[
      'agent',
      '--port',
      String(agentPort),
      '--server',
      serverUrl,
      '--statsd-port',
      String(port),
      ...common,
    ],
  ]);
  await server.start();
  await agent.start();

  const status = () => json<AgentStatus>(`${agentUrl}/status`);
  return {
    name: 'Taba',
    port,
    pids: { agent: agent.pid, server: server.pid },
    counted: async () => {
      const { books } = await status();
      return books.received - books.buffered;
    },
    shown: (traffic) => shownBy(serverUrl, status, traffic),
    stop: async () => {
      await agent.stop();
      await server.stop();
      await folder.remove();
    },
  };
}

async function shownBy(
  serverUrl: string,
  status: () => Promise<AgentStatus>,
  traffic: Traffic,
): Promise<Shown> {
  // What is in the books is durable at the server; an answer shows it with the next turn of its loop.
  await sleep(100);
  const tabs = await json<Record<string, { '1d': { count: number; total: number } }>>(
    `${serverUrl}/tabs?re=true&name=bench`,
  );
  const { statsd, books } = await status();
  if (books.balance !== 0) throw new Error(`the books of the agent are out of balance by ${books.balance}`);
  let events = 0;
  let wrongNames = 0;
  for (let index = 0; index < traffic.names; index++) {
    const tab = tabs[nameOf(index)]?.['1d'] ?? { count: 0, total: 0 };
    events += tab.count;
    if (tab.count !== traffic.rounds || tab.total !== totalOf(traffic, index)) wrongNames++;
  }
  const { datagrams, datagrams_dropped: dropped } = statsd;
  return { events, wrongNames, dropped: dropped ?? undefined, received: datagrams };
}

async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
