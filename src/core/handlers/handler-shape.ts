import { TabaError } from '../errors.js';
import type { Handler } from './handler.js';

const requiredMethods = [
  'parse',
  'newState',
  'fold',
  'reduce',
  'aggregate',
  'clampFuture',
  'render',
  'shouldPrune',
  'encode',
  'decode',
  'upgrade',
] as const satisfies readonly (keyof Handler)[];

const optionalMethods = [
  'foldHistogram',
  'foldGathered',
  'encodeGathered',
  'foldCumulative',
  'settle',
  'figures',
  'examine',
  'reduceEncoded',
  'sumEncoded',
  'renderEncoded',
  'figuresEncoded',
] as const satisfies readonly (keyof Handler)[];

const typeName = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/;

/**
 * The handler that a module exports, as `handler` or as `default`, for a tab type of the configuration.
 * @throws TabaError `bad_setting`, naming the tab type and everything that its handler lacks
 */
export function checkHandler(type: string, module: unknown): Handler {
  const candidate = member(module, 'handler') ?? member(module, 'default');
  if (typeof candidate !== 'object' || candidate === null) {
    throw handlerFault(type, 'the module exports no handler, neither as default nor as "handler"');
  }
  const faults: string[] = [];
  const declared = member(candidate, 'type');
  if (!typeName.test(type)) faults.push('a type is a letter and up to 63 letters, digits, _ and .');
  if (declared !== type) faults.push(`its type is ${JSON.stringify(declared)}`);
  const version = member(candidate, 'version');
  if (!Number.isInteger(version) || (version as number) < 1 || (version as number) > 255) {
    faults.push(`its version is ${JSON.stringify(version)} instead of 1 to 255`);
  }
  const tabState = member(candidate, 'tabState');
  if (tabState !== 'kept' && tabState !== 'derived') {
    faults.push(`its tabState is ${JSON.stringify(tabState)} instead of "kept" or "derived"`);
  }
  const period = member(candidate, 'gatherPeriodSec');
  if (period !== undefined && !((period as number) > 0)) {
    faults.push(`its gatherPeriodSec is ${JSON.stringify(period)} instead of a number above 0`);
  }
  for (const method of requiredMethods) {
    if (typeof member(candidate, method) !== 'function') faults.push(`it has no method ${method}`);
  }
  for (const method of optionalMethods) {
    const found = member(candidate, method);
    if (found !== undefined && typeof found !== 'function') faults.push(`its ${method} is not a method`);
  }
  if (faults.length > 0) throw handlerFault(type, faults.join('; '));
  return candidate as Handler;
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

export function handlerFault(type: string, message: string): TabaError {
  return new TabaError('bad_setting', `additional-handlers: ${type}: ${message}`);
}
