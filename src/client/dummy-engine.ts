import type { ClientStatus, Engine, Recorder } from './engine.js';

export interface RecordedEvent {
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
}

/** An engine for tests of applications: sends nothing, keeps everything. */
export interface DummyEngine extends Engine {
  /** Everything recorded, in order. */
  readonly events: readonly RecordedEvent[];
  /** The values of one tab, in order. */
  values(name: string): unknown[];
  /** Sum of a tab's numbers. */
  total(name: string): number;
  clear(): void;
}

/**
 * ```ts
 * const engine = dummyEngine();
 * const shop = new Shop(createClient({ clientId: 'test', engine }));
 * shop.buy('book');
 * assert.deepEqual(engine.values('books_sold'), [1]);
 * ```
 */
export function dummyEngine(): DummyEngine {
  const events: RecordedEvent[] = [];
  let isClosed = false;
  let recorded = 0;
  let lost = 0;

  function keep(name: string, type: string, value: unknown): void {
    recorded++;
    if (isClosed) lost++;
    else events.push({ name, type, value });
  }

  return {
    events,
    values: (name) => events.filter((event) => event.name === name).map(({ value }) => value),
    total: (name) => events.reduce((sum, event) => sum + (event.name === name ? Number(event.value) : 0), 0),
    clear() {
      events.length = 0;
    },
    tab: (name, type): Recorder => ({ record: (value) => keep(name, type, value) }),
    status: (): ClientStatus => ({
      connected: !isClosed,
      recorded,
      buffered: 0,
      bufferedBytes: 0,
      delivered: recorded - lost,
      rejected: 0,
      rejectedByCode: {},
      lost,
      lostByReason: lost === 0 ? {} : { closed: lost },
      lastError: undefined,
    }),
    flush: async () => true,
    async close() {
      isClosed = true;
    },
  };
}
