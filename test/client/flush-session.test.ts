import t from 'tap';
import { FlushSession } from '../../src/client/flush-session.js';

function sessionWithOne() {
  const session = new FlushSession();
  session.meet('an agent');
  session.begin(Uint8Array.of(1), 7);
  const send = () => {
    const { session: id, number } = session.frame()!;
    session.sent();
    return { session: id, number };
  };
  return { session, send };
}

t.test('what an agent turned away was certainly not counted: another one may get it', async (t) => {
  const { session, send } = sessionWithOne();
  const first = send();
  const busy = { kind: 'flush-nack', reason: 'busy', retryAfterMs: 5 } as const;
  t.same(session.take({ ...busy, ...first }), { kind: 'again', afterMs: 5 });
  t.equal(session.meet('another agent'), 0);
  const again = send();
  t.equal(again.number, 1);
  t.not(again.session, first.session);
  t.match(session.take({ kind: 'flush-ack', ...again, rejected: [] }), { kind: 'delivered', events: 7 });
});

t.test('where one answer is missing, a later one says nothing of what came before', async (t) => {
  const { session, send } = sessionWithOne();
  send();
  const repeated = send();
  session.take({ kind: 'flush-nack', ...repeated, reason: 'busy' });
  t.equal(session.meet('another agent'), 7, 'the first may be on its way still');
  t.notOk(session.isOpen);
});
