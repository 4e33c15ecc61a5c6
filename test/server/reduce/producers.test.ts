import t from 'tap';
import type { Answer, Block } from '../../../src/core/block.js';
import type { BucketIndex, ProducerId, Seq } from '../../../src/core/ids.js';
import { Producers } from '../../../src/server/reduce/producers.js';

function block(producer: string, seq: number, retires?: string): Block {
  return {
    bucket: 0 as BucketIndex,
    producer: producer as ProducerId,
    birthMs: 1000,
    seq: seq as Seq,
    sealedAtMs: 1000,
    events: 0,
    payload: new Uint8Array(),
    ...(retires === undefined ? {} : { retires: retires as ProducerId }),
  };
}

t.test('a producer that the store has lost does not begin anew while it is being retired', async (t) => {
  const producers = new Producers([], 0);
  const pending = Promise.resolve<Answer>({ kind: 'acknowledged', repeat: false, rejected: [] });
  producers.issued(block('new', 1, 'old'), 2000, pending);
  t.same(producers.judge(block('old', 1)), { kind: 'after', pending });
  producers.durable(block('new', 1, 'old'), 2000, []);
  t.same(producers.judge(block('old', 1)), { kind: 'answer', answer: { kind: 'unknown_producer' } });
  t.same(producers.judge(block('old', 2)), { kind: 'answer', answer: { kind: 'unknown_producer' } });
});
