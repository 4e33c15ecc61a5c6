import type { TabType } from '../ids.js';
import type { Handler } from './handler.js';
import { neverHad } from './upgrade.js';

export interface NoopState {
  /** Second of the newest event, -1 while there is none: so that an idle tab is forgotten like any other. */
  newestSec: number;
}

/** Takes anything and keeps nothing of it: to measure what recording costs, or to switch a tab off at its sender. */
export const noop: Handler<NoopState, undefined> = {
  type: 'Noop' as TabType,
  version: 1,
  tabState: 'kept',

  parse: () => undefined,
  newState: () => ({ newestSec: -1 }),
  fold(state, _value, { timestampSec }) {
    state.newestSec = Math.max(state.newestSec, Math.floor(timestampSec));
  },
  reduce(into, from) {
    into.newestSec = Math.max(into.newestSec, from.newestSec);
  },
  aggregate(into, from) {
    noop.reduce(into, from);
  },
  clampFuture(state, limitSec, presentSec) {
    if (state.newestSec <= limitSec) return 0;
    state.newestSec = Math.floor(presentSec);
    return 1;
  },
  render: (_state, form) => (form === 'text' ? 'nothing' : null),
  shouldPrune: ({ newestSec }, nowSec, idleSec) => nowSec - newestSec >= idleSec,
  encode({ newestSec }, out) {
    out.signedVarint(newestSec);
  },
  decode: (input) => ({ newestSec: input.signedVarint() }),
  upgrade: neverHad('Noop'),
};
