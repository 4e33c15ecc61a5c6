import type { Exchange } from './redis-exchange.js';
import { RedisProxy } from './redis-proxy.js';
import { mapBulkStrings } from './resp.js';
import { scriptName } from './script-names.js';

export interface ViewOptions {
  /** Servers of Redis: where each listens, and the port that Sentinel has for it. */
  readonly servers: readonly { readonly name: string; readonly port: number; readonly announced: number }[];
  readonly sentinels: readonly number[];
}

/**
 * Redis as one server of Taba sees it: through proxies that nobody else uses. Those before the sentinels put the ports
 * of the others in the place of the real ones, so that this server alone can be cut off, or left on a deposed master.
 */
export class RedisView {
  readonly #servers: ReadonlyMap<string, RedisProxy>;
  readonly #sentinels: readonly RedisProxy[];

  private constructor(servers: ReadonlyMap<string, RedisProxy>, sentinels: readonly RedisProxy[]) {
    this.#servers = servers;
    this.#sentinels = sentinels;
  }

  static async start(options: ViewOptions): Promise<RedisView> {
    const servers = new Map<string, RedisProxy>();
    const replaced = new Map<string, string>();
    for (const { name, port, announced } of options.servers) {
      const proxy = await RedisProxy.start({ target: () => port, scriptName });
      servers.set(name, proxy);
      replaced.set(String(announced), String(proxy.port));
    }
    const rewrite = (reply: Buffer): Buffer =>
      mapBulkStrings(reply, (text) =>
        text.replace(/\b\d{4,5}\b/g, (number) => replaced.get(number) ?? number),
      );
    const sentinels: RedisProxy[] = [];
    for (const port of options.sentinels) {
      const proxy = await RedisProxy.start({ target: () => port, rewrite });
      sentinels.push(proxy);
      replaced.set(String(port), String(proxy.port));
    }
    return new RedisView(servers, sentinels);
  }

  /** As `--sentinel` wants them. */
  get sentinelAddresses(): readonly string[] {
    return this.#sentinels.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** The proxy before a server of Redis, by its name. */
  before({ name }: { readonly name: string }): RedisProxy {
    const proxy = this.#servers.get(name);
    if (proxy === undefined) throw new Error(`there is no proxy before ${name}`);
    return proxy;
  }

  /** What was asked of any server of Redis, in order for each. */
  get exchanges(): Exchange[] {
    return [...this.#servers.values()].flatMap(({ exchanges }) => exchanges);
  }

  get #all(): readonly RedisProxy[] {
    return [...this.#servers.values(), ...this.#sentinels];
  }

  /** Hides the sentinels: nothing is heard of them, and nothing refused. */
  holdSentinels(): void {
    for (const proxy of this.#sentinels) proxy.hold('client');
  }

  releaseSentinels(): void {
    for (const proxy of this.#sentinels) proxy.release('client');
  }

  /** Hides everything. */
  hold(): void {
    for (const proxy of this.#all) proxy.hold('client');
  }

  release(): void {
    for (const proxy of this.#all) proxy.release('client');
  }

  async close(): Promise<void> {
    for (const proxy of this.#all) await proxy.close();
  }
}
