import { lookup } from 'node:dns/promises';
import { TabaError } from '../../core/errors.js';
import type { Clock } from '../../runtime/clock.js';
import type { Log } from '../../runtime/log.js';

/** One server process to talk to: an address, and the name it was found under. */
export interface EndPoint {
  /** `address:port`, what a person sees and what tells end-points apart. */
  readonly id: string;
  /** `ws://name:port/v2`: what certificates are made for, and what proxies in front of servers go by, is the name. */
  readonly url: string;
  /** Where to connect. */
  readonly address: string;
}

/** @returns the addresses behind a host name; an address resolves to itself */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const resolveByDns: Resolve = async (host) =>
  (await lookup(host, { all: true })).map((found) => found.address);

/** @throws TabaError `bad_setting` unless `text` is `http://host:port` (or https) */
export function parseServerUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TabaError('bad_setting', `server ${JSON.stringify(text)}: expected http://host:port`);
  }
  const plain = (url.pathname === '/' || url.pathname === '') && url.search === '' && url.hash === '';
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || !plain || url.hostname === '') {
    throw new TabaError('bad_setting', `server ${JSON.stringify(text)}: expected http://host:port`);
  }
  return url;
}

/** Whether a connection to the one is a connection to the other. */
export function isSame(one: EndPoint, other: EndPoint): boolean {
  return one.id === other.id && one.url === other.url;
}

export interface EndPointListOptions {
  /** `http://host:port`; every address behind a name is an end-point. */
  readonly servers: readonly string[];
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly resolve?: Resolve;
  /** Called with the whole list whenever it has changed. */
  readonly changed: (endPoints: readonly EndPoint[]) => void;
}

/**
 * The end-points behind the configured servers. Names are resolved again and again, because behind a name of a cluster
 * addresses come and go. A name that does not resolve keeps the addresses it had: a name server that is down must not
 * take the connections along.
 */
export class EndPointList {
  readonly #options: EndPointListOptions;
  readonly #urls: readonly URL[];
  readonly #addresses = new Map<string, readonly string[]>();
  #current: readonly EndPoint[] = [];
  #cancel: (() => void) | undefined;
  #stopped = false;
  /** The name that did not resolve at the last attempt, and why. */
  lastError: string | undefined;

  constructor(options: EndPointListOptions) {
    this.#options = options;
    this.#urls = options.servers.map(parseServerUrl);
  }

  get current(): readonly EndPoint[] {
    return this.#current;
  }

  /** Resolves all names once, then again every `refreshMs`. Never rejects. */
  async start(): Promise<void> {
    await this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  async #refresh(): Promise<void> {
    const resolve = this.#options.resolve ?? resolveByDns;
    const hosts = [...new Set(this.#urls.map((url) => url.hostname))];
    let failed: string | undefined;
    await Promise.all(
      hosts.map(async (host) => {
        try {
          // URL keeps the brackets around an IPv6 address; look-ups do not want them.
          const found = await resolve(host.replace(/^\[|\]$/g, ''));
          if (found.length > 0) this.#addresses.set(host, found);
        } catch (error) {
          failed = `${host}: ${error instanceof Error ? error.message : String(error)}`;
        }
      }),
    );
    if (this.#stopped) return;
    if (failed !== undefined && failed !== this.lastError) {
      this.#options.log.warn('server_name_unresolved', {
        error: failed,
        retryMs: this.#options.refreshMs,
        hint: 'addresses found before stay in use',
      });
    }
    this.lastError = failed;
    this.#publish();
    this.#cancel = this.#options.clock.after(this.#options.refreshMs, () => void this.#refresh());
  }

  #publish(): void {
    const found = new Map<string, EndPoint>();
    for (const url of this.#urls) {
      const [scheme, defaultPort] = url.protocol === 'https:' ? ['wss', '443'] : ['ws', '80'];
      const port = url.port || defaultPort;
      for (const address of this.#addresses.get(url.hostname) ?? []) {
        const id = `${address.includes(':') ? `[${address}]` : address}:${port}`;
        // One that several names have is reached by the name that was given first.
        if (!found.has(id)) found.set(id, { id, url: `${scheme}://${url.hostname}:${port}/v2`, address });
      }
    }
    const next = [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const same =
      next.length === this.#current.length && next.every((one, index) => isSame(one, this.#current[index]!));
    if (same) return;
    this.#current = next;
    this.#options.changed(next);
  }
}
