/** What the codecs of all frames share. */
import { type Fields, maxTextLength } from './fields.js';
import type { Frame } from './frame.js';
import type { Packed } from './msgpack.js';

/** How frames of one kind are written, behind the number of the kind. */
export interface Codec<F extends Frame> {
  readonly code: number;
  encode(frame: F): readonly Packed[];
  decode(fields: Fields): F;
}

export const maxSessionLength = 128;

/** `{ [name]: value }`, or nothing where the value is absent: optional fields are left out, not set to undefined. */
export function present<N extends string, T>(name: N, value: T | undefined): { [K in N]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [K in N]?: T });
}

/** A message may quote what an additional Handler threw; the other side must not refuse the frame for its length. */
export function clipped(message: string): string {
  return message.length <= maxTextLength ? message : `${message.slice(0, maxTextLength - 1)}…`;
}
