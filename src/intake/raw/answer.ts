import type { PushRaw, RawAck } from '../../wire/frame.js';
import type { StagedColumns } from './staged-columns.js';

/** What is said of a frame that was taken. */
export function rawAck(
  { session, number }: Pick<PushRaw, 'session' | 'number'>,
  { accepted, clamped, rejections }: StagedColumns,
): RawAck {
  const { total: rejectedTotal, listed: rejected } = rejections;
  return { kind: 'raw-ack', session, number, repeat: false, accepted, clamped, rejectedTotal, rejected };
}

/** What is said of one that was taken before. */
export function rawRepeat(session: string, number: number): RawAck {
  return {
    ...{ kind: 'raw-ack', session, number, repeat: true },
    ...{ accepted: 0, clamped: 0, rejectedTotal: 0, rejected: [] },
  };
}
