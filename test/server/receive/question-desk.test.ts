import t from 'tap';
import { TabaError } from '../../../src/core/errors.js';
import type { Questions } from '../../../src/server/cluster/peers.js';
import { QuestionDesk } from '../../../src/server/receive/question-desk.js';
import type { FrameLink } from '../../../src/transport/frame-link.js';
import type { Frame, Hello } from '../../../src/wire/frame.js';
import { RecordingLog } from '../../agent/recording-log.js';

const pieceBytes = 2 ** 20;

function deskWith(questions: Questions, maxFrameBytes = 2 ** 24) {
  const sent: Frame[] = [];
  const state = { room: Number.POSITIVE_INFINITY };
  const link: FrameLink = {
    ...{ peer: 'them:8300', bufferedBytes: 0, close: () => {} },
    trySend: (frame) => {
      if (sent.length >= state.room) return false;
      sent.push(frame);
      return true;
    },
  };
  const log = new RecordingLog();
  const desk = new QuestionDesk(link, { maxFrameBytes } as Hello, { questions, log });
  return { desk, sent, state, log };
}

function joined(frames: readonly Frame[]): { bytes: number[]; lasts: boolean[] } {
  const results = frames.flatMap((frame) => (frame.kind === 'result' ? [frame] : []));
  return { bytes: results.flatMap(({ body }) => [...body]), lasts: results.map(({ last }) => last) };
}

const query = (name: string, id = 1): Extract<Frame, { kind: 'query' }> => ({
  ...{ kind: 'query', id, name, body: new Uint8Array([id]) },
});

t.test('an answer goes out in pieces that the other side takes, the last of which says so', async (t) => {
  const answer = Uint8Array.from({ length: 2500 }, (_, index) => index % 251);
  const { desk, sent } = deskWith({ long: async () => answer }, 1064);
  await desk.take(query('long'));
  t.strictSame(joined(sent), { bytes: [...answer], lasts: [false, false, true] });
});

t.test(
  'an empty answer is one piece; a large one is cut small enough for what comes behind it',
  async (t) => {
    const { desk, sent } = deskWith({
      empty: async () => new Uint8Array(),
      large: async () => new Uint8Array(pieceBytes + 1),
    });
    await desk.take(query('empty'));
    t.strictSame(joined(sent), { bytes: [], lasts: [true] });
    await desk.take(query('large'));
    t.strictSame(joined(sent).lasts, [true, false, true]);
  },
);

t.test('what the link does not take waits, in order', async (t) => {
  const { desk, sent, state } = deskWith({ echo: async (body) => body });
  state.room = 1;
  await Promise.all([1, 2, 3].map((id) => desk.take(query('echo', id))));
  t.strictSame(joined(sent).bytes, [1]);
  state.room = 10;
  desk.send();
  t.strictSame(joined(sent).bytes, [1, 2, 3]);
});

t.test('faults are told with their code; what nobody expected is logged', async (t) => {
  const { desk, sent, log } = deskWith({
    refused: async () => {
      throw new TabaError('unavailable', 'not now');
    },
    broken: async () => {
      throw new TypeError('x is undefined');
    },
  });
  for (const name of ['refused', 'broken', 'nothing']) await desk.take(query(name));
  t.match(sent, [
    { kind: 'error', id: 1, code: 'unavailable', message: 'not now', fatal: false },
    { kind: 'error', code: 'internal', message: /broken: TypeError/, fatal: false },
    { kind: 'error', code: 'bad_framing', message: /no question is called nothing/, fatal: false },
  ]);
  t.equal(log.count('question_failed'), 1);
});
