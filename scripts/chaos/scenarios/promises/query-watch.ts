import { setTimeout as pause } from 'node:timers/promises';
import { tabName } from '../../load.js';
import { SeededRandom } from '../../random.js';

export interface QueryWatchOptions {
  readonly urls: readonly string[];
  readonly seed: number;
  /** Tabs to ask for. */
  readonly tabs: number;
}

export interface QueryFigures {
  readonly asked: number;
  readonly longestMs: number;
  /** What went wrong, each once. */
  readonly failures: readonly string[];
}

const pauseMs = 20;
const tabsAsked = 50;
/** One question in so many is for all tabs whose names begin alike. */
const expressionEvery = 10;
const answerDeadlineMs = 10_000;

/** Asks each server for some tabs of many buckets, all the time: every question has to be answered in full. */
export class QueryWatch {
  readonly #options: QueryWatchOptions;
  readonly #loops: Promise<void>[];
  readonly #failures = new Map<string, number>();
  #ended = false;
  #asked = 0;
  #longestMs = 0;

  constructor(options: QueryWatchOptions) {
    this.#options = options;
    this.#loops = options.urls.map((url, index) => this.#askAll(url, options.seed + index));
  }

  async end(): Promise<QueryFigures> {
    this.#ended = true;
    await Promise.all(this.#loops);
    const failures = [...this.#failures].map(([text, times]) => `${text} (${times} times)`);
    return { asked: this.#asked, longestMs: this.#longestMs, failures };
  }

  async #askAll(url: string, seed: number): Promise<void> {
    const random = new SeededRandom(seed);
    for (let turn = 1; !this.#ended; turn++) {
      const beganMs = performance.now();
      try {
        if (turn % expressionEvery === 0) await this.#askExpression(url, random);
        else await this.#askNames(url, random);
      } catch (error) {
        const text = `${url}: ${(error as Error).message}`;
        this.#failures.set(text, (this.#failures.get(text) ?? 0) + 1);
      }
      this.#asked++;
      this.#longestMs = Math.max(this.#longestMs, performance.now() - beganMs);
      await pause(pauseMs);
    }
  }

  async #askNames(url: string, random: SeededRandom): Promise<void> {
    const names = Array.from({ length: tabsAsked }, () => tabName(random.integer(0, this.#options.tabs - 1)));
    const wanted = [...new Set(names)];
    const tabs = await asked(`${url}/tabs?name=${wanted.join(',')}`);
    const missing = wanted.filter((name) => tabs[name] === undefined);
    if (missing.length > 0) throw new Error(`nothing is said of ${missing.length} of ${wanted.length} tabs`);
  }

  async #askExpression(url: string, random: SeededRandom): Promise<void> {
    const prefix = tabName(1000 + random.integer(0, 199)).slice(0, -1);
    const tabs = await asked(`${url}/tabs?name=${encodeURIComponent(prefix.replace('.', '\\.'))}&re=true`);
    if (Object.keys(tabs).length < 10) throw new Error(`${prefix}: ${Object.keys(tabs).length} tabs`);
  }
}

async function asked(url: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetch(url, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(answerDeadlineMs),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 200)}`);
  return (await answer.json()) as Readonly<Record<string, unknown>>;
}
