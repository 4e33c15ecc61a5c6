import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { ProxiedConnection } from './redis-connection.js';
import { type Exchange, type Party, Trap, type TrapOptions } from './redis-exchange.js';

export interface RedisProxyOptions {
  /** Asked at each connection: to whom it goes. */
  readonly target: () => number;
  /** Name of the script with this SHA-1, where it is known. */
  readonly scriptName?: (sha: string) => string | undefined;
  /** Changes what the target answers, value by value. */
  readonly rewrite?: (reply: Buffer) => Buffer;
}

const exchangesKept = 50_000;

/**
 * A proxy on loopback in front of one Redis (or one sentinel) that knows its protocol: it sees every command with its
 * reply, and stops them at a chosen point. A trap catches one command or one reply, with everything behind it on that
 * connection, until the scenario says what becomes of it; `hold` stops all that one party sends and gets.
 *
 * A command that is held here arrives late, as in a network, even when its sender has given up and gone.
 */
export class RedisProxy {
  readonly port: number;
  /** What was asked, in order; the oldest go when there are very many. */
  readonly exchanges: Exchange[] = [];
  readonly #options: RedisProxyOptions;
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #traps = new Set<Trap>();
  readonly #held = new Set<Party>();
  #nextConnection = 1;
  #refuses = false;

  private constructor(server: Server, port: number, options: RedisProxyOptions) {
    this.#server = server;
    this.port = port;
    this.#options = options;
  }

  static async start(options: RedisProxyOptions): Promise<RedisProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    const proxy = new RedisProxy(server, address.port, options);
    server.on('connection', (near) => {
      if (proxy.#refuses) near.resetAndDestroy();
      else proxy.#join(near);
    });
    return proxy;
  }

  #join(near: import('node:net').Socket): void {
    const connection: ProxiedConnection = new ProxiedConnection({
      near,
      id: this.#nextConnection++,
      target: this.#options.target(),
      scriptName: this.#options.scriptName ?? (() => undefined),
      rewrite: this.#options.rewrite ?? ((reply) => reply),
      holds: (party) => this.#held.has(party),
      asked: (exchange) => this.#asked(exchange),
      trapped: (on, exchange) => this.#trapped(on, exchange, connection),
      ended: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #asked(exchange: Exchange): void {
    this.exchanges.push(exchange);
    if (this.exchanges.length > exchangesKept) this.exchanges.splice(0, exchangesKept / 10);
  }

  #trapped(on: TrapOptions['on'], exchange: Exchange, connection: ProxiedConnection): boolean {
    for (const trap of this.#traps) {
      if (!trap.catches(on, exchange)) continue;
      this.#traps.delete(trap);
      trap.spring(exchange, connection);
      return true;
    }
    return false;
  }

  /** Catches the first command (or reply) from now on that fits. */
  trap(options: TrapOptions): Trap {
    const trap = new Trap(options, () => this.#traps.delete(trap));
    this.#traps.add(trap);
    return trap;
  }

  /** Connections that are open at both ends, of one party or of all. */
  connections(party?: Party): number {
    return this.#of(party).filter(({ open }) => open).length;
  }

  /** Nothing of these parties passes any more, neither way, on present connections and on new ones; nobody is told. */
  hold(...parties: readonly Party[]): void {
    for (const party of parties) this.#held.add(party);
  }

  /** What was held goes on, in its order. */
  release(...parties: readonly Party[]): void {
    for (const party of parties) this.#held.delete(party);
    for (const connection of this.#connections) connection.flow();
  }

  /** Resets the connections of a party, or all of them; what is held on them is lost. @returns how many */
  cut(party?: Party): number {
    const cut = this.#of(party);
    for (const connection of cut) connection.cut();
    return cut.length;
  }

  /** New connections are reset at once, until `accept`. */
  refuse(): void {
    this.#refuses = true;
  }

  accept(): void {
    this.#refuses = false;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #of(party: Party | undefined): ProxiedConnection[] {
    return [...this.#connections].filter((connection) => party === undefined || connection.party === party);
  }
}
