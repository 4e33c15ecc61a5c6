import type { Choice } from './ask.js';
import { Expression } from './expression.js';
import type { Parameters } from './parameters.js';

/** The parameters of routes that select tabs and clients. */
export const selectionParameters = ['name', 'client', 're'] as const;

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
