import t from 'tap';
import type { ErrorCode } from '../../src/core/errors.js';
import {
  type Entrance,
  handedOver,
  json,
  limitsWith,
  post,
  SetClock,
  throughBoth,
  totalOf,
  v1,
} from './kit.js';

const nowSec = 1_700_006_400;
const yearSec = 365 * 86_400;
const options = () => {
  const limits = limitsWith({ maxNameBytes: 100, maxValueBytes: 100 });
  return { server: { clock: new SetClock(), limits }, agent: { clock: new SetClock(), limits } };
};

const good = `["TotalsCounter", ${nowSec}, "1"]`;

interface Case {
  readonly fault: string;
  readonly code: ErrorCode;
  readonly client?: string;
  readonly tab?: string;
  readonly line?: string;
}

/** One fault each; what is not said is good. */
const cases: readonly Case[] = [
  { fault: 'a line that is not JSON', code: 'bad_event', line: '["TotalsCounter", 17000' },
  { fault: 'an array that is too short', code: 'bad_event', line: `["TotalsCounter", ${nowSec}]` },
  { fault: 'a type that is a number', code: 'bad_event', line: `[1, ${nowSec}, "1"]` },
  { fault: 'a payload that is not a string', code: 'bad_event', line: `["TotalsCounter", ${nowSec}, 1]` },
  { fault: 'an unknown type', code: 'unknown_type', line: `["TotalCounter", ${nowSec}, "1"]` },
  {
    fault: 'another type than that of the tab',
    code: 'type_conflict',
    tab: 'good',
    line: `["Gauge", ${nowSec}, "1"]`,
  },
  { fault: 'a name with a blank', code: 'bad_name', tab: 'a b' },
  { fault: 'a name with a comma', code: 'bad_name', tab: 'a,b' },
  { fault: 'a name beyond ASCII', code: 'bad_name', tab: 'prix_€' },
  { fault: 'a name that is too long', code: 'bad_name', tab: 'n'.repeat(101) },
  { fault: 'a client with a quote', code: 'bad_client', client: 'a"b' },
  { fault: 'a client that is too long', code: 'bad_client', client: 'c'.repeat(101) },
  { fault: 'NaN', code: 'bad_event', line: `["TotalsCounter", ${nowSec}, "NaN"]` },
  { fault: 'Infinity', code: 'bad_event', line: `["TotalsCounter", ${nowSec}, "Infinity"]` },
  { fault: 'a number beyond the doubles', code: 'bad_value', line: `["TotalsCounter", ${nowSec}, "1e999"]` },
  { fault: 'one below them', code: 'bad_value', line: `["TotalsCounter", ${nowSec}, "-1e999"]` },
  {
    fault: 'a string where a number is due',
    code: 'bad_value',
    line: `["TotalsCounter", ${nowSec}, "\\"1\\""]`,
  },
  {
    fault: 'a number where a string is due',
    code: 'bad_value',
    tab: 'bad',
    line: `["UniqueCounter", ${nowSec}, "1"]`,
  },
  { fault: 'null', code: 'bad_value', line: `["TotalsCounter", ${nowSec}, "null"]` },
  { fault: 'two numbers', code: 'bad_value', line: `["TotalsCounter", ${nowSec}, "[1,2]"]` },
  { fault: 'no expiry', code: 'bad_value', tab: 'bad', line: `["ExpiryGauge", ${nowSec}, "\\"up\\""]` },
  {
    fault: 'a value that is too long',
    code: 'bad_value',
    tab: 'bad',
    line: `["Gauge", ${nowSec}, "\\"${'v'.repeat(101)}\\""]`,
  },
  { fault: 'a timestamp that is a string', code: 'bad_timestamp', line: '["TotalsCounter", "now", "1"]' },
  { fault: 'a negative timestamp', code: 'bad_timestamp', line: '["TotalsCounter", -1, "1"]' },
  { fault: 'an infinite timestamp', code: 'bad_timestamp', line: '["TotalsCounter", 1e999, "1"]' },
];

t.test('a fault of one item is named, and the other items count', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { url, server } = entrance;
    const rejected: Record<string, number> = {};
    for (const { fault, code, client = 'c', tab = 'good', line = good } of cases) {
      const body = `${v1({ a: { good: [good] } })}${client}\n\n${tab}\n${line}\n\n\nz\n\ngood\n${good}\n`;
      const answer = await post(`${url}/post`, body);
      t.equal(answer.status, 200, fault);
      t.match(answer.json, { accepted: 2, rejected: [{ index: 1, code }] }, fault);
      t.equal(answer.json.rejected.length, 1, fault);
      rejected[code] = (rejected[code] ?? 0) + 1;
    }
    await handedOver(entrance);
    t.equal(await totalOf(server, 'good'), 2 * cases.length, 'the good items count');
    t.strictSame((await json(`${server.url}/names`)).json, ['good'], 'and nothing else does');
    t.strictSame((await json(`${server.url}/clients`)).json, ['a', 'z']);
    t.strictSame((entrance.agent ?? server).status().books.rejected, rejected, 'the books say why');
  }),
);

t.test('a body of bad items alone is refused as a whole', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const answer = await post(`${entrance.url}/post`, v1({ c: { good: ['[', `["Nope", ${nowSec}, "1"]`] } }));
    t.equal(answer.status, 400);
    t.match(answer.json, {
      code: 'nothing_accepted',
      accepted: 0,
      rejected: [
        { index: 0, code: 'bad_event' },
        { index: 1, code: 'unknown_type' },
      ],
    });
    await handedOver(entrance);
    t.strictSame((await json(`${entrance.server.url}/names`)).json, []);
  }),
);

async function makeGauge({ server }: Entrance): Promise<void> {
  const answer = await post(`${server.url}/post`, v1({ c: { known: [`["Gauge", ${nowSec}, "1"]`] } }));
  if (answer.status !== 200) throw new Error(answer.text);
}

t.test('another type than that of a tab which only the owner knows', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const { url, server, agent } = entrance;
    await makeGauge(entrance);
    const answer = await post(`${url}/post`, v1({ c: { known: [good, good], fresh: [good] } }));
    t.equal(answer.status, 200);
    await handedOver(entrance);
    if (agent === undefined) {
      t.match(answer.json, { accepted: 1, rejected: [{ code: 'type_conflict' }, { code: 'type_conflict' }] });
      t.match(answer.json.rejected[0].message, /known: is a Gauge, not a TotalsCounter/);
    } else {
      // The agent has answered before an owner saw it; its books tell.
      t.equal(answer.json.accepted, 3);
      t.match(agent.status().books, { received: 3, delivered: 1, rejected: { type_conflict: 2 } });
    }
    t.match(server.status().books, { received: 4, applied: 2, rejected: { type_conflict: 2 } });
    t.equal(await totalOf(server, 'fresh'), 1);
    t.strictSame((await json(`${server.url}/tabs?name=known`)).json, { known: { 1: 1 } });
  }),
);

t.test('two new types for one name at the same moment: one of them counts, the other is told', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const lines = [good, `["PercentileCounter", ${nowSec}, "1"]`];
    const answers = await Promise.all(
      lines.map((line) => post(`${entrance.url}/post`, v1({ c: { contested: [line], other: [good] } }))),
    );
    for (const { status } of answers) t.equal(status, 200);
    const accepted = answers.reduce((sum, { json: body }) => sum + body.accepted, 0);
    t.equal(accepted, 3);
    await handedOver(entrance);
    t.equal(await totalOf(entrance.server, 'other'), 2);
    t.equal(await totalOf(entrance.server, 'contested'), 1);
    t.match((entrance.agent ?? entrance.server).status().books.rejected, { type_conflict: 1 });
  }),
);

t.test('timestamps that are a year off', (t) =>
  throughBoth(t, options, async (t, entrance) => {
    const line = (sec: number) => `["CounterGroup", ${sec}, "1"]`;
    const body = v1({ c: { tab: [line(nowSec + yearSec), line(nowSec - yearSec), line(nowSec)] } });
    const answer = await post(`${entrance.url}/post`, body);
    t.strictSame(answer.json, { accepted: 3, rejected: [], clamped: 1 });
    await handedOver(entrance);
    const { json: tabs } = await json(`${entrance.server.url}/tabs?name=tab`);
    t.match(tabs.tab, { '1m': { count: 2 }, '1d': { count: 2 }, pct: { count: 3 } });
    t.equal((entrance.agent ?? entrance.server).status().clamped_timestamps, 1);
  }),
);
