import t from 'tap';
import { systemClock } from '../../src/runtime/system-clock.js';
import {
  type Entrance,
  type EntranceOptions,
  handedOver,
  json,
  post,
  SetClock,
  serverOf,
  throughBoth,
  v1,
} from './kit.js';

const nowSec = 1_700_006_400;
const hourMs = 3_600_000;

async function record(
  { url, agent }: Pick<Entrance, 'url' | 'agent'>,
  client: string,
  ...stamps: number[]
): Promise<void> {
  const tab = stamps.map((stamp) => `["CounterGroup", ${stamp}, "1"]`);
  const answer = await post(`${url}/post`, v1({ [client]: { tab } }));
  if (answer.status !== 200) throw new Error(answer.text);
  await handedOver({ agent });
}

async function windows(url: string, query = '/tabs?name=tab'): Promise<Record<string, number>> {
  const { tab } = (await json(`${url}${query}`)).json;
  return Object.fromEntries(
    Object.entries(tab).map(([label, window]) => [label, (window as { count: number }).count]),
  );
}

/** One clock for the agent and the server. */
let clock = new SetClock();
function options(): EntranceOptions {
  clock = new SetClock(nowSec * 1000);
  return { server: { clock }, agent: { clock } };
}

t.test('one client, a day ahead, wipes nothing', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    await record(entrance, 'right', nowSec - 30, nowSec - 300, nowSec - 3000, nowSec - 80_000);
    await record(entrance, 'ahead', nowSec + 86_400, nowSec + 86_460);
    t.strictSame(await windows(entrance.server.url), { '1m': 3, '10m': 4, '1h': 5, '1d': 6, pct: 6 });
    clock.wallMs += 120_000;
    await record(entrance, 'right', nowSec + 120);
    t.strictSame(await windows(entrance.server.url), { '1m': 1, '10m': 5, '1h': 6, '1d': 7, pct: 7 });
  }),
);

t.test('events at the edge of the allowed skew, and beyond it', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    await record(entrance, 'c', nowSec + 10, nowSec + 10.001, nowSec + 11);
    t.equal((entrance.agent ?? entrance.server).status().clamped_timestamps, 2);
    t.match(await windows(entrance.server.url), { pct: 3 });
    clock.wallMs += 10_000;
    t.match(await windows(entrance.server.url), { '1m': 3, pct: 3 }, 'all show by the time that they name');
    clock.wallMs += 50_000;
    t.match(
      await windows(entrance.server.url),
      { '1m': 1 },
      'the others leave with the moment of their arrival',
    );
  }),
);

t.test('late events count in the windows that cover them', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    await record(entrance, 'c', nowSec);
    await record(entrance, 'c', nowSec - 120);
    await record(entrance, 'c', nowSec - 1800, nowSec - 7200, nowSec - 200_000);
    t.strictSame(await windows(entrance.server.url), { '1m': 1, '10m': 2, '1h': 3, '1d': 4, pct: 5 });
  }),
);

t.test("the server's own clock an hour ahead and back, unguarded", async (t) => {
  const serverClock = new SetClock(nowSec * 1000);
  const server = await serverOf(t, { clock: serverClock });
  const { url } = server;
  const entrance = { url, agent: undefined };
  await record(entrance, 'c', nowSec - 30, nowSec - 300, nowSec - 3000);
  const before = { '1m': 1, '10m': 2, '1h': 3, '1d': 3, pct: 3 };
  t.strictSame(await windows(url), before);
  serverClock.wallMs += hourMs;
  t.match(await windows(url), { '1m': 0, '10m': 0, '1h': 0, '1d': 3, pct: 3 });
  await post(`${url}/gc`, '');
  await post(`${url}/recompute`, '');
  serverClock.wallMs -= hourMs;
  t.strictSame(await windows(url), before, 'neither rendering nor pruning has wiped a window');
  await record(entrance, 'c', nowSec);
  t.strictSame(await windows(url), { '1m': 2, '10m': 3, '1h': 4, '1d': 4, pct: 4 });
});

t.test("the host's wall clock set an hour ahead and back: the guarded clock goes on as before", async (t) => {
  const source = { wallMs: nowSec * 1000, passedMs: 0 };
  const jumps: string[] = [];
  const guarded = systemClock({
    sources: {
      wallMs: () => source.wallMs + source.passedMs,
      monotonicMs: () => source.passedMs,
      uptimeSec: () => 1000 + Math.floor(source.passedMs / 1000),
    },
    onJump: ({ kind }) => jumps.push(kind),
  });
  const { url } = await serverOf(t, { clock: guarded });
  const entrance = { url, agent: undefined };
  await record(entrance, 'c', nowSec - 30, nowSec - 300);
  source.wallMs += hourMs;
  source.passedMs += 1000;
  // A client on the same host stamps by the wrong wall clock.
  await record(entrance, 'c', nowSec + 3601);
  t.strictSame(await windows(url), { '1m': 2, '10m': 3, '1h': 3, '1d': 3, pct: 3 });
  source.wallMs -= hourMs;
  source.passedMs += 1000;
  await record(entrance, 'c', nowSec + 2);
  t.strictSame(await windows(url), { '1m': 3, '10m': 4, '1h': 4, '1d': 4, pct: 4 });
  t.strictSame(jumps, ['held', 'gone']);
});
