/** Who is at the other end, by what it says: a server of Taba, a replica, a sentinel. */
export type Party = 'client' | 'replica' | 'sentinel';

/** A command that came through a proxy, and what became of it. */
export interface Exchange {
  /** Connections of one proxy, numbered as they came. */
  readonly connection: number;
  readonly party: Party;
  /** In upper case: EVALSHA, WAIT, … */
  readonly command: string;
  /** Name of the script that an EVALSHA runs, where it is known: append, acquire, … */
  readonly script: string | undefined;
  /** The command with its first arguments, as Latin-1, each cut to 80 characters. */
  readonly words: readonly string[];
  /** Handed to Redis. */
  sent: boolean;
  /** Its client had gone when it was handed to Redis. */
  late: boolean;
  /** The beginning of Redis's reply, on one line; undefined while there is none. */
  reply: string | undefined;
  /** Handed to the client. */
  delivered: boolean;
}

export interface TrapOptions {
  /** What is caught: the command before Redis has it, or the reply before the client has it. */
  readonly on: 'request' | 'reply';
  readonly when: (exchange: Exchange) => boolean;
}

/** What a trap can do with the connection that it caught something on. */
export interface Caught {
  release(): void;
  cut(): void;
}

/** Waits for one command or reply, and keeps it, with everything behind it on that connection in that direction. */
export class Trap {
  /** Resolves when something was caught. */
  readonly sprung: Promise<Exchange>;
  readonly #options: TrapOptions;
  readonly #removed: () => void;
  #resolve: (exchange: Exchange) => void = () => {};
  #exchange: Exchange | undefined;
  #caught: Caught | undefined;

  constructor(options: TrapOptions, removed: () => void) {
    this.#options = options;
    this.#removed = removed;
    this.sprung = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** What was caught. @throws where nothing was */
  get exchange(): Exchange {
    if (this.#exchange === undefined) throw new Error('the trap has caught nothing');
    return this.#exchange;
  }

  catches(on: TrapOptions['on'], exchange: Exchange): boolean {
    return this.#exchange === undefined && on === this.#options.on && this.#options.when(exchange);
  }

  spring(exchange: Exchange, caught: Caught): void {
    this.#exchange = exchange;
    this.#caught = caught;
    this.#resolve(exchange);
  }

  /** Lets it go on its way, and what waited behind it: a command reaches Redis even when its client has gone. */
  release(): void {
    this.#removed();
    this.#caught?.release();
  }

  /** It never arrives: the connection is reset at both ends. */
  cut(): void {
    this.#removed();
    this.#caught?.cut();
  }
}

/** True from the n-th call on which `matches` is true: a trap for a later one of its kind. */
export function nth(n: number, matches: (exchange: Exchange) => boolean): (exchange: Exchange) => boolean {
  let left = n;
  return (exchange) => matches(exchange) && --left <= 0;
}
