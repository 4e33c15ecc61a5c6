import t from 'tap';
import { answerOf } from '../../src/intake/answer.js';
import { stage } from '../../src/intake/stage.js';
import { contextWith, jsonItems, nowSec } from './node.js';

const good = { name: 'a', value: 1 };
const bad = { name: 'a', value: 'x' };

t.test('200 as long as something counts', (t) => {
  t.strictSame(answerOf(stage(jsonItems(good, good), contextWith())), {
    status: 200,
    body: { accepted: 2, rejected: [] },
  });
  const { status, body } = answerOf(stage(jsonItems(good, bad), contextWith()));
  t.equal(status, 200);
  t.match(body, { accepted: 1, rejected: [{ index: 1, code: 'bad_value', message: /^a: / }] });
  t.notOk('rejected_total' in body || 'clamped' in body || 'code' in body);
  t.end();
});

t.test('a body without items is no fault', (t) => {
  t.strictSame(answerOf(stage(jsonItems(), contextWith())), {
    status: 200,
    body: { accepted: 0, rejected: [] },
  });
  t.end();
});

t.test('400 if nothing of what there was counts', (t) => {
  const { status, body } = answerOf(stage(jsonItems(bad, { ...bad, name: '' }), contextWith()));
  t.equal(status, 400);
  t.match(body, {
    code: 'nothing_accepted',
    message: /^all 2 items were rejected; the first: a: /,
    accepted: 0,
    rejected: [
      { index: 0, code: 'bad_value' },
      { index: 1, code: 'bad_name' },
    ],
  });
  t.end();
});

t.test('what was clamped, and rejections beyond those listed, are said', (t) => {
  const bads = Array.from({ length: 1001 }, () => bad);
  const { body } = answerOf(stage(jsonItems({ ...good, timestamp: nowSec + 100 }, ...bads), contextWith()));
  t.match(body, { accepted: 1, clamped: 1, rejected_total: 1001 });
  t.equal(body.rejected.length, 1000);
  t.end();
});
