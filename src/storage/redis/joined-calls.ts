import { ReplyError } from 'ioredis';
import { type ScriptCall, sizeOf } from './scripts.js';

/**
 * Entries appended by one run of a script. Each is less work than a run of its own, for both sides; but Redis does nothing else
 * meanwhile, some 20 µs for each.
 */
const maxJoined = 64;
const maxJoinedBytes = 2 ** 20;

/** Calls that go to Redis as one, and are answered as one. */
export interface JoinedCall extends ScriptCall {
  readonly calls: number;
}

/**
 * Takes appends that follow each other together; everything else stays by itself.
 * @param joins whether one call may touch the keys of several buckets; else all calls stay as they are
 */
export function joinCalls(calls: readonly ScriptCall[], joins: boolean): JoinedCall[] {
  const joined: JoinedCall[] = [];
  let next = 0;
  while (next < calls.length) {
    const first = calls[next]!;
    const end = joins ? endOfAppends(calls, next) : next + 1;
    joined.push(end === next + 1 ? { ...first, calls: 1 } : join(calls.slice(next, end)));
    next = end;
  }
  return joined;
}

/** @returns behind the last append that goes with the one at `start`, or behind whatever else that is */
function endOfAppends(calls: readonly ScriptCall[], start: number): number {
  let end = start + 1;
  if (calls[start]!.script !== 'append') return end;
  let bytes = sizeOf(calls[start]!);
  while (end < calls.length && end - start < maxJoined && calls[end]!.script === 'append') {
    bytes += sizeOf(calls[end]!);
    if (bytes > maxJoinedBytes) break;
    end++;
  }
  return end;
}

function join(calls: readonly ScriptCall[]): JoinedCall {
  return {
    script: calls[0]!.script,
    keys: calls.flatMap(({ keys }) => keys),
    args: calls.flatMap(({ args }) => args),
    calls: calls.length,
  };
}

/** What Redis said to a joined call, for each of its calls. */
export function answersOf({ script, calls }: JoinedCall, answer: unknown): (unknown | Error)[] {
  if (script !== 'append' || answer instanceof Error) return new Array(calls).fill(answer);
  return (answer as string[]).map((refusal) => (refusal === '' ? 'OK' : new ReplyError(refusal)));
}
