import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon } from '../process/daemon.js';
import { freePort } from '../process/free-port.js';
import { TemporaryFolder } from '../process/temporary-folder.js';

/** What scenarios look at of an agent's status. */
export interface AgentStatus {
  readonly books: { readonly received: number; readonly buffered: number; readonly balance: number };
  readonly statsd: { readonly datagrams: number; readonly datagrams_dropped: number | null } | null;
}

export interface ShownTab {
  readonly count: number;
  readonly total: number;
}

/** An agent, and a server on the embedded store behind it, as real processes. */
export class TabaPair {
  readonly agentUrl: string;
  readonly serverUrl: string;
  readonly #agent: Daemon;
  readonly #server: Daemon;
  readonly #folder: TemporaryFolder;

  private constructor(agentUrl: string, serverUrl: string, parts: [Daemon, Daemon, TemporaryFolder]) {
    this.agentUrl = agentUrl;
    this.serverUrl = serverUrl;
    [this.#agent, this.#server, this.#folder] = parts;
  }

  /** @param taba how to run the executable @param agentFlags what the agent gets beside its addresses */
  static async start(taba: readonly string[], agentFlags: readonly string[] = []): Promise<TabaPair> {
    const folder = await TemporaryFolder.create('taba-bench-');
    const [serverPort, agentPort] = [await freePort(), await freePort()];
    const serverUrl = `http://127.0.0.1:${serverPort}`;
    const common = ['--log-format', 'json', '--no-self-instrument'];
    const data = ['--data', join(folder.path, 'data')];
    const server = new Daemon('server', [
      ...taba,
      ...['server', '--port', String(serverPort), ...data, ...common],
    ]);
    const agent = new Daemon('agent', [
      ...taba,
      ...['agent', '--port', String(agentPort), '--server', serverUrl, ...agentFlags, ...common],
    ]);
    await server.start();
    await agent.start();
    return new TabaPair(`http://127.0.0.1:${agentPort}`, serverUrl, [agent, server, folder]);
  }

  /** The agent first: it takes the events. */
  get pids(): Readonly<Record<string, number>> {
    return { agent: this.#agent.pid, server: this.#server.pid };
  }

  /** @throws when its books are out of balance */
  async status(): Promise<AgentStatus> {
    const status = await json<AgentStatus>(`${this.agentUrl}/status`);
    const { balance } = status.books;
    if (balance !== 0) throw new Error(`the books of the agent are out of balance by ${balance}`);
    return status;
  }

  /** Events that are with the server. */
  async delivered(): Promise<number> {
    const { books } = await this.status();
    return books.received - books.buffered;
  }

  /** What the server shows, see `shownTabs`. */
  tabs(prefix: string): Promise<Readonly<Record<string, ShownTab>>> {
    return shownTabs(this.serverUrl, prefix);
  }

  /** Ends the server in good order, and leaves the agent alone with what comes in. */
  async stopServer(): Promise<void> {
    await this.#server.stop();
  }

  /** On the same data, under the same address. */
  startServer(): Promise<void> {
    return this.#server.start();
  }

  /** Both, as after an update: what they needed on the way is not in their memory any more. */
  async restart(): Promise<void> {
    await this.#agent.stop();
    await this.#server.stop();
    await this.#server.start();
    await this.#agent.start();
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#server.stop();
    await this.#folder.remove();
  }
}

/** What a server shows of the last day, of the tabs whose names begin so. */
export async function shownTabs(url: string, prefix: string): Promise<Readonly<Record<string, ShownTab>>> {
  // What is in the books is durable at the server; an answer shows it with the next turn of its loop.
  await sleep(100);
  const asked = `${url}/tabs?${new URLSearchParams({ re: 'true', name: prefix })}`;
  const tabs = await json<Record<string, { readonly '1d': ShownTab }>>(asked);
  return Object.fromEntries(Object.entries(tabs).map(([name, windows]) => [name, windows['1d']]));
}

async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
