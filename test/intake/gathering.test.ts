import t from 'tap';
import { TabaError } from '../../src/core/errors.js';
import { builtinHandlers } from '../../src/core/handlers/registry.js';
import type { PartMap } from '../../src/core/parts.js';
import { Gathering } from '../../src/intake/gathering.js';
import { stage, stageApart } from '../../src/intake/stage.js';
import { encodeParts } from '../../src/wire/parts.js';
import { client, contextWith, jsonItems, nowSec, registry, tab, type } from './node.js';

function gatheringOf(handlers = registry) {
  const handed: PartMap[] = [];
  const refused: string[] = [];
  let sequence = 0;
  const gathering = new Gathering({
    registry: handlers,
    nextSequence: () => sequence++,
    handOver: (parts) => handed.push(parts),
    refuse: (...why) => refused.push(why.join(' ')),
  });
  return { gathering, handed, refused };
}

const pairsOf = (parts: PartMap) =>
  [...parts.entries()].map((one) => `${one.tab} ${one.client} ${one.events}`).sort();

t.test('numbers of several bodies become one Part a pair, the same as folded body by body', (t) => {
  const { gathering, handed } = gatheringOf();
  const together = stage(jsonItems(), contextWith()).parts;
  for (let body = 0; body < 5; body++) {
    const events = Array.from({ length: 200 }, (_, index) => ({
      ...{ name: `t${index % 3}`, client: `c${index % 2}`, value: ((index * 7 + body) % 40) / 8 - 1 },
      timestamp: nowSec - (index % 4) - body,
      type: index % 3 === 0 ? 'PercentileGroup' : 'CounterGroup',
    }));
    const staged = stageApart(jsonItems(...events), contextWith({ gathering }));
    staged.gatherInto(gathering);
    t.equal(staged.parts.events, 0);
    t.equal(staged.accepted, 200);
    together.reduceAll(stage(jsonItems(...events), contextWith()).parts);
  }
  t.equal(gathering.waiting, 1000);
  t.equal(gathering.pairs, 6);
  t.ok(gathering.holds(tab('t0'), client('c1')));
  t.equal(gathering.typeOf(tab('t0')), 'PercentileGroup');
  gathering.handOver();
  t.equal(handed.length, 1);
  t.match(gathering, { waiting: 0, pairs: 0 });
  t.notOk(gathering.holds(tab('t0'), client('c1')));
  t.equal(gathering.typeOf(tab('t0')), undefined);
  const sorted = (parts: PartMap) =>
    [...parts.entries()].sort((a, b) => (`${a.tab} ${a.client}` < `${b.tab} ${b.client}` ? -1 : 1));
  t.strictSame(encodeParts(sorted(handed[0]!), registry), encodeParts(sorted(together), registry));
  gathering.handOver();
  t.equal(handed.length, 1, 'where nothing waits, nothing is handed over');
  t.end();
});

t.test('what is no plain number stays with the body', (t) => {
  const { gathering, handed } = gatheringOf();
  const staged = stageApart(
    jsonItems({ name: 'n', value: 1 }, { name: 'g', type: 'Gauge', value: 1 }, { name: 'n', value: 'x' }),
    contextWith({ gathering }),
  );
  staged.gatherInto(gathering);
  t.strictSame(pairsOf(staged.parts), ['g me 1']);
  t.equal(staged.accepted, 2);
  gathering.handOver();
  t.strictSame(pairsOf(handed[0]!), ['n me 1']);
  t.end();
});

t.test('what has no room is neither gathered nor folded', (t) => {
  const { gathering } = gatheringOf();
  const staged = stageApart(
    jsonItems({ name: 'a', value: 1 }, { name: 'b', value: 1 }),
    contextWith({ gathering, admits: (name) => (name === 'b' ? 'too_many_tabs' : undefined) }),
  );
  staged.gatherInto(gathering);
  t.equal(gathering.waiting, 1);
  t.notOk(gathering.holds(tab('b'), client('me')));
  t.match(staged.rejections.listed, [{ index: 1, code: 'too_many_tabs' }]);
  t.end();
});

t.test(
  'a body of more seconds than columns are kept for is counted in full; so are bodies of ever other seconds',
  (t) => {
    const { gathering, handed } = gatheringOf();
    let parts = 0;
    for (let body = 0; body < 4; body++) {
      const events = Array.from({ length: 100 }, (_, index) => ({
        ...{ name: 'a', value: 1 },
        timestamp: nowSec - body * 100 - index,
      }));
      const staged = stageApart(jsonItems(...events), contextWith({ gathering }));
      staged.gatherInto(gathering);
      parts += staged.parts.events;
    }
    gathering.handOver();
    t.ok(parts > 0);
    t.equal(
      handed.reduce((sum, { events }) => sum + events, parts),
      400,
    );
    t.end();
  },
);

t.test('a Handler that throws at gathered numbers loses these alone', (t) => {
  const handlers = builtinHandlers();
  const { encodeGathered: _, ...counter } = handlers.get('TotalsCounter')!;
  handlers.add({
    ...counter,
    type: type('Brittle'),
    foldGathered() {
      throw new RangeError('many are too much');
    },
  });
  const { gathering, handed, refused } = gatheringOf(handlers);
  for (let round = 0; round < 2; round++) {
    const staged = stageApart(
      jsonItems(
        ...[1, 2, 3].flatMap((value) => [
          { name: 'a', value },
          { name: 'brittle', type: 'Brittle', value },
          { name: 'z', value },
        ]),
      ),
      contextWith({ gathering, registry: handlers }),
    );
    staged.gatherInto(gathering);
    gathering.handOver();
    t.match(gathering, { waiting: 0, pairs: 0 });
    t.strictSame(pairsOf(handed[round]!), ['a me 3', 'z me 3']);
  }
  t.same(refused, new Array(2).fill('3 bad_value brittle: many are too much'));
  t.end();
});

t.test('seconds of which all was rejected leave no columns behind', (t) => {
  const { gathering, handed } = gatheringOf();
  const context = contextWith({
    gathering,
    admits: (name) => (name === 'full' ? 'too_many_tabs' : undefined),
  });
  const columns = new Set<unknown>();
  for (let second = 0; second < 100; second++) {
    const timestamp = nowSec - second;
    const staged = stageApart(
      jsonItems({ name: 'full', value: 1, timestamp }, { name: 'g', type: 'Gauge', value: 1, timestamp }),
      context,
    );
    t.equal(staged.accepted, 1);
    staged.gatherInto(gathering);
    for (const one of gathering.columnsOf([timestamp])) columns.add(one);
  }
  t.ok(columns.size <= 8, `${columns.size} of them`);
  t.same(handed, []);
  t.end();
});

t.test('a tab may come back under another type once nothing of it waits', (t) => {
  const { gathering, handed } = gatheringOf();
  for (const name of ['CounterGroup', 'TotalsCounter']) {
    const staged = stageApart(jsonItems({ name: 'a', value: 1, type: name }), contextWith({ gathering }));
    staged.gatherInto(gathering);
    t.equal(gathering.typeOf(tab('a')), type(name));
    gathering.handOver();
  }
  t.strictSame(
    handed.map((parts) => parts.typeOf(tab('a'))),
    ['CounterGroup', 'TotalsCounter'],
  );
  t.end();
});

t.test('very many pairs are forgotten once nothing waits, and come in again', (t) => {
  const { gathering, handed } = gatheringOf();
  for (let round = 0; round < 2; round++) {
    for (let body = 0; body < 11; body++) {
      const items = Array.from({ length: 10_000 }, (_, index) => ({ name: `t${body}.${index}`, value: 2 }));
      stageApart(jsonItems(...items), contextWith({ gathering })).gatherInto(gathering);
    }
    t.equal(gathering.pairs, 110_000);
    gathering.handOver();
    t.match(handed[round], { pairs: 110_000, events: 110_000 });
  }
  t.end();
});

t.test('of what waits, nothing is asked again; of what waited before, it is', (t) => {
  const { gathering } = gatheringOf();
  const asked: string[] = [];
  const context = contextWith({
    gathering,
    typeOf: (name) => {
      asked.push(`type ${name}`);
      return undefined;
    },
    admits: (name) => {
      asked.push(`room ${name}`);
      return undefined;
    },
  });
  const take = (...names: string[]) => {
    const staged = stageApart(jsonItems(...names.map((name) => ({ name, value: 1 }))), context);
    t.equal(staged.accepted, names.length);
    staged.gatherInto(gathering);
    return asked.splice(0);
  };
  t.strictSame(take('a', 'b', 'a'), ['type a', 'type b', 'room a', 'room b']);
  t.strictSame(take('b', 'c', 'a'), ['type c', 'room c']);
  gathering.handOver();
  t.strictSame(take('a'), ['type a', 'room a']);
  t.end();
});

t.test(
  'what waits under one type is rejected under another, from whatever client, and the rest of the body counts',
  (t) => {
    const { gathering, handed } = gatheringOf();
    const context = contextWith({ gathering });
    stageApart(jsonItems({ name: 'a', value: 1 }), context).gatherInto(gathering);
    const staged = stageApart(
      jsonItems(
        { name: 'a', value: 1, type: 'TotalsCounter' },
        { name: 'a', value: 1, type: 'TotalsCounter', client: 'other' },
        { name: 'a', value: 1, client: 'other' },
        { name: 'b', value: 1, type: 'TotalsCounter' },
        { name: 'b', value: 1 },
      ),
      context,
    );
    staged.gatherInto(gathering);
    t.match(staged.rejections.listed, [
      { index: 0, code: 'type_conflict' },
      { index: 1, code: 'type_conflict' },
      { index: 4, code: 'type_conflict' },
    ]);
    gathering.handOver();
    t.strictSame(pairsOf(handed[0]!), ['a me 1', 'a other 1', 'b me 1']);
    t.end();
  },
);

t.test('nothing of a body that is not taken in the end waits, nor says of which type a tab is', (t) => {
  const { gathering, handed } = gatheringOf();
  const context = contextWith({ gathering });
  const broken = () =>
    stageApart((sink) => {
      jsonItems({ name: 'a', value: 1, type: 'TotalsCounter' })(sink);
      throw new TabaError('bad_framing', 'cut off');
    }, context);
  t.throws(broken, { code: 'bad_framing' });
  t.match(gathering, { waiting: 0, pairs: 0 });
  stageApart(jsonItems({ name: 'a', value: 1, type: 'TotalsCounter' }), context);
  const staged = stageApart(jsonItems({ name: 'a', value: 1 }), context);
  staged.gatherInto(gathering);
  t.equal(staged.accepted, 1);
  gathering.handOver();
  t.equal(handed[0]!.typeOf(tab('a')), 'CounterGroup');
  t.end();
});

t.test('names that are none stay rejected, however often they come', (t) => {
  const { gathering } = gatheringOf();
  const context = contextWith({ gathering });
  for (let body = 0; body < 2; body++) {
    const staged = stageApart(
      jsonItems(
        ...[
          { name: 'a b', value: 1 },
          { name: 'a b', value: 1 },
          { name: 'a', value: 1, client: 'ö' },
        ],
        { name: 'a', value: 1 },
      ),
      context,
    );
    t.match(
      staged.rejections.listed.map(({ index, code }) => `${index} ${code}`),
      ['0 bad_name', '1 bad_name', '2 bad_client'],
    );
    staged.gatherInto(gathering);
  }
  t.match(gathering, { waiting: 2, pairs: 1 });
  t.end();
});
