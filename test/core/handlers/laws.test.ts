import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import {
  aggregateState,
  EncodedState,
  figuresOfState,
  renderState,
} from '../../../src/core/handlers/encoded-state.js';
import { builtinHandlers } from '../../../src/core/handlers/registry.js';
import { bytesOf, copyOf, epochSec, eventsOf, payloads, stateOf } from './state-kit.js';

const registry = builtinHandlers();

t.test('every built-in type has payloads to be tested with', async (t) => {
  t.same(Object.keys(payloads).sort(), registry.types());
});

for (const type of registry.types()) {
  const handler = registry.get(type)!;
  const events = eventsOf(type);
  const merged = (...states: unknown[]) => {
    const into = handler.newState();
    for (const state of states) handler.reduce(into, state);
    return bytesOf(handler, into);
  };

  t.test(`${type}: a new State is the identity`, async () => {
    fc.assert(
      fc.property(events, (list) => {
        const state = stateOf(handler, list);
        const alone = bytesOf(handler, state);
        handler.reduce(state, handler.newState());
        return bytesOf(handler, state) === alone && merged(state) === alone;
      }),
    );
  });

  t.test(`${type}: reduce is commutative and associative, and changes only its target`, async () => {
    fc.assert(
      fc.property(events, events, events, (one, two, three) => {
        const states = [one, two, three].map((list) => stateOf(handler, list));
        const before = states.map((state) => bytesOf(handler, state));
        const [a, b, c] = states;
        const leftFirst = merged(a, b, c);
        const rightFirst = handler.newState();
        handler.reduce(rightFirst, b);
        handler.reduce(rightFirst, c);
        const same = leftFirst === merged(c, b, a) && leftFirst === merged(a, rightFirst);
        return same && states.every((state, at) => bytesOf(handler, state) === before[at]);
      }),
    );
  });

  t.test(`${type}: folding then reducing is folding everything, in any order`, async () => {
    fc.assert(
      fc.property(events, events, (one, two) => {
        const all = bytesOf(handler, stateOf(handler, [...one, ...two]));
        return (
          merged(stateOf(handler, one), stateOf(handler, two)) === all &&
          bytesOf(handler, stateOf(handler, [...two, ...one].reverse())) === all
        );
      }),
    );
  });

  t.test(`${type}: what was merged does not share anything with its source`, async () => {
    fc.assert(
      fc.property(events, events, (one, two) => {
        const source = stateOf(handler, one);
        const before = bytesOf(handler, source);
        const into = handler.newState();
        handler.reduce(into, source);
        for (const { payload, meta } of two) handler.fold(into, handler.parse(payload), meta);
        handler.reduce(into, stateOf(handler, two));
        handler.clampFuture(into, epochSec - 50, epochSec - 50);
        return bytesOf(handler, source) === before;
      }),
    );
  });

  t.test(`${type}: an encoded State comes back, and goes on as if it had never been away`, async () => {
    fc.assert(
      fc.property(events, events, (one, two) => {
        const state = stateOf(handler, one);
        const copy = copyOf(handler, state);
        if (bytesOf(handler, copy) !== bytesOf(handler, state)) return false;
        for (const target of [state, copy]) {
          for (const { payload, meta } of two) handler.fold(target, handler.parse(payload), meta);
        }
        return bytesOf(handler, copy) === bytesOf(handler, state);
      }),
    );
  });

  t.test(`${type}: rendering in any form, at any time, changes nothing`, async () => {
    fc.assert(
      fc.property(events, fc.integer({ min: -4000, max: 90_000 }), (list, offset) => {
        const state = stateOf(handler, list);
        const before = bytesOf(handler, state);
        for (const form of ['text', 'json', 'detailed'] as const) {
          const rendering = handler.render(state, form, { nowSec: epochSec + offset });
          if (JSON.stringify(rendering) === undefined) return false;
        }
        handler.shouldPrune(state, epochSec + offset, 3600);
        handler.aggregate(handler.newState(), state, epochSec + offset);
        return bytesOf(handler, state) === before;
      }),
    );
  });

  t.test(`${type}: an encoded State is shown, and aggregated, as the State itself is`, async () => {
    fc.assert(
      fc.property(events, fc.integer({ min: -4000, max: 90_000 }), (list, offset) => {
        const state = stateOf(handler, list);
        const encoded = new EncodedState(Buffer.from(bytesOf(handler, state), 'hex'));
        const nowSec = epochSec + offset;
        const [into, other] = [handler.newState(), handler.newState()];
        handler.aggregate(into, state, nowSec);
        aggregateState(handler, other, encoded, nowSec);
        const shown = [
          ...(['text', 'json', 'detailed'] as const).map((form) => [
            handler.render(state, form, { nowSec }),
            renderState(handler, encoded, form, { nowSec }),
          ]),
          [handler.figures?.(state, { nowSec }), figuresOfState(handler, encoded, { nowSec })],
          [bytesOf(handler, into), bytesOf(handler, other)],
        ];
        return shown.every(([due, found]) => isDeepStrictEqual(due, found));
      }),
    );
  });

  t.test(`${type}: clampFuture leaves nothing ahead of the limit, and does it once`, async () => {
    fc.assert(
      fc.property(events, (list) => {
        const state = stateOf(handler, list);
        handler.clampFuture(state, epochSec + 10, epochSec);
        const clamped = bytesOf(handler, state);
        const again = handler.clampFuture(state, epochSec + 10, epochSec);
        return (
          again === 0 &&
          bytesOf(handler, state) === clamped &&
          bytesOf(handler, copyOf(handler, state)) === clamped
        );
      }),
    );
  });

  t.test(`${type}: aggregates merge in any order`, async () => {
    fc.assert(
      fc.property(events, events, (one, two) => {
        const clients = [stateOf(handler, one), stateOf(handler, two)];
        const aggregateOf = (states: unknown[]) => {
          const into = handler.newState();
          for (const state of states) handler.aggregate(into, state, epochSec);
          return into;
        };
        const direct = bytesOf(handler, aggregateOf(clients));
        const parts = clients.map((client) => aggregateOf([client]));
        return (
          direct === bytesOf(handler, aggregateOf([...clients].reverse())) &&
          direct === bytesOf(handler, aggregateOf(parts))
        );
      }),
    );
  });

  t.test(`${type}: a cut encoding, and an unknown version, are corrupt`, async (t) => {
    const list = fc.sample(eventsOf(type, 30), { numRuns: 20, seed: 7 });
    for (const events of list) {
      const state = stateOf(handler, events);
      const hex = bytesOf(handler, state);
      const bytes = Buffer.from(hex, 'hex');
      for (let length = 0; length < Math.min(bytes.length, 300); length++) {
        try {
          const input = new ByteReader(bytes.subarray(0, length));
          handler.decode(input);
          t.fail(`decoded ${length} of ${bytes.length} bytes`);
        } catch (error) {
          if ((error as { code?: string }).code !== 'corrupt') t.match(error, { code: 'corrupt' });
        }
      }
    }

    t.throws(() => handler.upgrade(new ByteReader(new Uint8Array()), 99), { code: 'corrupt' });
  });

  if (handler.examine === undefined) continue;
  const examine = (bytes: Uint8Array) => {
    const input = new ByteReader(bytes);
    const newest = handler.examine!(input);
    input.end();
    return newest;
  };

  t.test(`${type}: nothing is newer than what examining finds`, async () => {
    fc.assert(
      fc.property(events, (list) => {
        const state = stateOf(handler, list);
        const newest = examine(Buffer.from(bytesOf(handler, state), 'hex'));
        return newest !== undefined && handler.clampFuture(state, newest, epochSec) === 0;
      }),
    );
  });

  t.test(`${type}: reducing an encoded State is reducing the State`, async () => {
    fc.assert(
      fc.property(events, events, (first, second) => {
        const [into, other] = [stateOf(handler, first), stateOf(handler, first)];
        const from = stateOf(handler, second);
        const input = new ByteReader(Buffer.from(bytesOf(handler, from), 'hex'));
        handler.reduceEncoded!(into, input);
        input.end();
        handler.reduce(other, from);
        return bytesOf(handler, into) === bytesOf(handler, other);
      }),
    );
  });

  if (handler.sumEncoded !== undefined) {
    const encoded = (state: unknown) => Buffer.from(bytesOf(handler, state), 'hex');
    /** @returns undefined where only decoding can do it */
    const sumOf = (summands: readonly Uint8Array[]): string | undefined => {
      const out = new ByteWriter();
      const inputs = summands.map((bytes) => new ByteReader(bytes));
      if (!handler.sumEncoded!(inputs, out)) return undefined;
      for (const input of inputs) input.end();
      return Buffer.from(out.finish()).toString('hex');
    };

    t.test(`${type}: the sum of encoded States is what is encoded of the reduced ones`, async () => {
      fc.assert(
        fc.property(fc.array(events, { minLength: 1, maxLength: 6 }), (lists) => {
          const states = lists.map((list) => stateOf(handler, list));
          const summands = states.map(encoded);
          // All at once, and one after the other.
          const inSteps = summands.reduce((sum, next) => Buffer.from(sumOf([sum, next])!, 'hex'));
          return sumOf(summands) === merged(...states) && inSteps.toString('hex') === merged(...states);
        }),
      );
    });
  }

  t.test(`${type}: examining finds the same encodings corrupt as decoding`, async () => {
    const decode = (bytes: Uint8Array) => {
      const input = new ByteReader(bytes);
      handler.decode(input);
      input.end();
    };
    const codeOf = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown => {
      try {
        read(bytes);
        return undefined;
      } catch (error) {
        return (error as { code?: string }).code ?? error;
      }
    };
    fc.assert(
      fc.property(
        events,
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (list, position, byte, isCut) => {
          const bytes = Buffer.from(bytesOf(handler, stateOf(handler, list)), 'hex');
          const at = position % bytes.length;
          if (!isCut) bytes[at] = byte;
          const damaged = isCut ? bytes.subarray(0, at) : bytes;
          return codeOf(decode, damaged) === codeOf(examine, damaged);
        },
      ),
      { numRuns: 1000 },
    );
  });
}
