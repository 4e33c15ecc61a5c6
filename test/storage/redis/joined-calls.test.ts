import t from 'tap';
import { answersOf, joinCalls } from '../../../src/storage/redis/joined-calls.js';
import type { ScriptCall, ScriptName } from '../../../src/storage/redis/scripts.js';

const callOf = (script: ScriptName, name: string, bytes = 10): ScriptCall => ({
  script,
  keys: [`${name}-head`, `${name}-journal`],
  args: [name, new Uint8Array(bytes)],
});
const shapeOf = (calls: readonly ScriptCall[], joins = true) =>
  joinCalls(calls, joins).map(({ script, calls }) => `${script} ${calls}`);

t.test('appends in a row are one call, and nothing else is', async (t) => {
  const calls = [
    ...[callOf('append', 'a'), callOf('append', 'b'), callOf('trim', 'c'), callOf('trim', 'd')],
    ...[callOf('append', 'e'), callOf('write-pages', 'f'), callOf('append', 'g'), callOf('append', 'h')],
  ];
  t.strictSame(shapeOf(calls), ['append 2', 'trim 1', 'trim 1', 'append 1', 'write-pages 1', 'append 2']);
  t.strictSame(
    shapeOf(calls, false),
    calls.map(({ script }) => `${script} 1`),
  );
  const [first] = joinCalls(calls, true);
  t.strictSame(first!.keys, ['a-head', 'a-journal', 'b-head', 'b-journal']);
  t.strictSame(first!.args, ['a', new Uint8Array(10), 'b', new Uint8Array(10)]);
  t.strictSame(joinCalls([], true), []);
});

t.test('a call is bounded, by number and by size', async (t) => {
  const many = Array.from({ length: 130 }, (_, at) => callOf('append', `${at}`));
  t.strictSame(shapeOf(many), ['append 64', 'append 64', 'append 2']);
  const large = Array.from({ length: 5 }, (_, at) => callOf('append', `${at}`, 400_000));
  t.strictSame(shapeOf(large), ['append 2', 'append 2', 'append 1']);
});

t.test('each has its own answer; what Redis says to all of them is the answer to each', async (t) => {
  const [joined] = joinCalls(
    ['a', 'b', 'c'].map((name) => callOf('append', name)),
    true,
  );
  const [first, second, third] = answersOf(joined!, ['', 'TABA_HEAD b-head', '']);
  t.strictSame([first, third], ['OK', 'OK']);
  t.match(second, { name: 'ReplyError', message: 'TABA_HEAD b-head' });
  const denied = new Error('OOM command not allowed');
  t.strictSame(answersOf(joined!, denied), [denied, denied, denied]);
  const [trim] = joinCalls([callOf('trim', 'a')], true);
  t.strictSame(answersOf(trim!, 'OK'), ['OK']);
});
