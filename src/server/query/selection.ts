import type { ParameterDoc } from '../../transport/inbound/http.js';
import type { Parameters } from '../../transport/inbound/parameters.js';
import type { Choice } from './ask.js';
import { Expression } from './expression.js';

const name: ParameterDoc = {
  type: 'text',
  description:
    'names of tabs, comma-separated; with `re` one regular expression. All tabs where it is absent',
};
const re: ParameterDoc = {
  type: 'flag',
  description: 'whether names and clients are regular expressions (RE2), matched from the beginning',
};

/** The parameters of routes that select tabs. */
export const tabParameters = { name, re } as const;

/** The parameters of routes that select tabs and clients. */
export const selectionParameters = {
  name,
  client: { type: 'text', description: 'client ids, in the same way; all clients where it is absent' },
  re,
} as const satisfies Record<string, ParameterDoc>;

/** The parameter of routes that answer although some buckets cannot be asked. */
export const partialParameter = {
  partial: {
    type: 'flag',
    description: 'answer with what can be had; `X-Taba-Missing-Buckets` says what is missing',
  },
} as const satisfies Record<string, ParameterDoc>;

/** What a request is about: all where nothing is said. With `re`, one expression for names and one for client ids. */
export interface Selection {
  readonly tabs: Choice;
  readonly clients: Choice;
}

/** @throws TabaError `bad_expression`, `bad_parameter` */
export function selectionOf(parameters: Parameters, maxExpressionBytes: number): Selection {
  const isExpression = parameters.flag('re', false);
  const choice = (name: string): Choice => {
    if (!isExpression) return parameters.list(name) ?? 'all';
    const expression = parameters.text(name);
    if (expression === undefined) return 'all';
    // Refused here, before anybody is asked.
    new Expression(expression, maxExpressionBytes);
    return { expression };
  };
  return { tabs: choice('name'), clients: choice('client') };
}
