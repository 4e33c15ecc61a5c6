/** The frames of events that nobody has folded: their place in frame-codec.ts, which has the layout of all frames. */
import { type ErrorCode, errorCatalogue } from '../core/errors.js';
import type { DefineTabs, PushRaw, RawAck } from './frame.js';
import { type Codec, clipped, maxSessionLength, present } from './frame-fields.js';
import { plain } from './msgpack.js';

/** Ids are 32 bits wide in the columns. */
const maxTabId = 2 ** 32 - 1;
const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];

export const rawCodecs = {
  'define-tabs': {
    code: 11,
    encode: ({ tabs }) => [tabs.map(({ id, name, type }) => [id, name, type])],
    decode: (fields) => ({
      kind: 'define-tabs',
      tabs: fields.list('tabs', (tab) => ({
        id: tab.integer('id', 0, maxTabId),
        name: tab.text('name'),
        type: tab.text('type'),
      })),
    }),
  } satisfies Codec<DefineTabs>,
  'push-raw': {
    code: 12,
    encode: ({ session, number, client, tabs, counts, seconds, values }) => [
      ...[session, number, client ?? null],
      ...[plain(tabs), plain(counts), plain(seconds), plain(values)],
    ],
    decode: (fields) => ({
      kind: 'push-raw',
      session: fields.text('session', 1, maxSessionLength),
      number: fields.integer('number', 1),
      ...present(
        'client',
        fields.optional((one) => one.text('client')),
      ),
      tabs: fields.bytes('tabs'),
      counts: fields.bytes('counts'),
      seconds: fields.bytes('seconds'),
      values: fields.bytes('values'),
    }),
  } satisfies Codec<PushRaw>,
  'raw-ack': {
    code: 13,
    encode: (frame) => [
      ...[frame.session, frame.number, frame.repeat, frame.accepted, frame.clamped, frame.rejectedTotal],
      frame.rejected.map(({ index, code, message }) => [index, code, clipped(message)]),
    ],
    decode: (fields) => ({
      kind: 'raw-ack',
      session: fields.text('session', 1, maxSessionLength),
      number: fields.integer('number', 1),
      repeat: fields.flag('repeat'),
      accepted: fields.integer('accepted'),
      clamped: fields.integer('clamped'),
      rejectedTotal: fields.integer('rejectedTotal'),
      rejected: fields.list('rejected', (item) => ({
        index: item.integer('index'),
        code: item.word('code', errorCodes),
        message: item.text('message'),
      })),
    }),
  } satisfies Codec<RawAck>,
};
