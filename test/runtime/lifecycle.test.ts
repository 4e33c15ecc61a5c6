import t from 'tap';
import { Backoff } from '../../src/runtime/backoff.js';
import { Lifecycle } from '../../src/runtime/lifecycle.js';
import type { Log } from '../../src/runtime/log.js';
import { repeat } from '../../src/runtime/repeat.js';
import { FakeClock } from '../support/fake-clock.js';

function silentLog(events: string[] = []): Log {
  const write = (event: string) => void events.push(event);
  const log: Log = { debug: () => {}, info: write, warn: write, error: write, with: () => log };
  return log;
}

t.test('stops in the reverse order of the start, once', async (t) => {
  const order: string[] = [];
  const lifecycle = new Lifecycle({ clock: new FakeClock(), log: silentLog() });
  for (const name of ['store', 'http']) {
    await lifecycle.start(
      name,
      () => order.push(`+${name}`),
      () => void order.push(`-${name}`),
    );
  }
  await Promise.all([lifecycle.stop(), lifecycle.stop()]);
  t.strictSame(order, ['+store', '+http', '-http', '-store']);
});

t.test('a step that fails to start stops those before it', async (t) => {
  const order: string[] = [];
  const lifecycle = new Lifecycle({ clock: new FakeClock(), log: silentLog() });
  lifecycle.onStop('store', () => void order.push('-store'));
  await t.rejects(
    lifecycle.start('http', () => {
      throw new Error('port in use');
    }),
    { message: 'port in use' },
  );
  t.strictSame(order, ['-store']);
});

t.test('a step that hangs, and one that throws, do not keep the others from stopping', async (t) => {
  const events: string[] = [];
  const clock = new FakeClock();
  const lifecycle = new Lifecycle({ clock, log: silentLog(events), stopDeadlineMs: 1000 });
  let isStopped = false;
  lifecycle.onStop('store', () => {
    isStopped = true;
  });
  lifecycle.onStop('hanging', () => new Promise(() => {}));
  lifecycle.onStop('throwing', () => {
    throw new Error('no');
  });
  const stopped = lifecycle.stop();
  await clock.advanceAsync(1000);
  await stopped;
  t.ok(isStopped);
  t.strictSame(events, ['stop_step_failed', 'stop_step_late']);
  t.equal(clock.timers, 0);
});

t.test('backoff doubles up to its limit, and its jitter multiplies', async (t) => {
  const low = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 0 });
  const high = new Backoff({ firstMs: 100, maxMs: 1000, random: () => 1 });
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => low.nextMs()),
    [50, 100, 200, 400, 500],
  );
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => high.nextMs()),
    [100, 200, 400, 800, 1000],
  );
  high.reset();
  t.equal(high.nextMs(), 100);
  for (let failure = 0; failure < 2000; failure++) high.nextMs();
  t.equal(high.nextMs(), 1000);
});

t.test('a loop survives errors and ends at once on abort', async (t) => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const errors: unknown[] = [];
  let runs = 0;
  const loop = repeat(
    { clock, intervalMs: 100, signal: abort.signal },
    () => {
      runs++;
      throw new Error('once more');
    },
    (error) => errors.push(error),
  );
  await clock.advanceAsync(300);
  abort.abort();
  await loop;
  t.equal(runs, 3);
  t.equal(errors.length, 3);
  t.equal(clock.timers, 0);
});
