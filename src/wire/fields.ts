import { TabaError } from '../core/errors.js';
import type { ProducerId } from '../core/ids.js';
import type { Packed } from './msgpack.js';

const hexIdPattern = /^[0-9a-f]{32}$/;
/** Messages name tabs and clients, of 1,024 bytes each. */
export const maxTextLength = 8192;

/**
 * Takes the fields of an unpacked array one after the other, checking each. Every fault is `bad_framing` and names the
 * field by its path, as in `push-blocks.blocks[3].seq`.
 */
export class Fields {
  readonly #values: readonly Packed[];
  readonly #path: string;
  #next = 0;

  constructor(values: readonly Packed[], path: string, next = 0) {
    this.#values = values;
    this.#path = path;
    this.#next = next;
  }

  #take(field: string): Packed {
    if (this.#next >= this.#values.length) throw this.#fault(field, 'is missing');
    return this.#values[this.#next++]!;
  }

  #fault(field: string, what: string): TabaError {
    return new TabaError('bad_framing', `${this.#path}.${field} ${what}`);
  }

  /** An integer from `least` to `most`. */
  integer(field: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(field);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw this.#fault(field, `is ${shown(value)}, not an integer from ${least} to ${most}`);
    }
    return value;
  }

  /** A finite number from 0. */
  amount(field: string): number {
    const value = this.#take(field);
    if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw this.#fault(field, `is ${shown(value)}, not a number from 0`);
    }
    return value;
  }

  flag(field: string): boolean {
    const value = this.#take(field);
    if (typeof value !== 'boolean') throw this.#fault(field, `is ${shown(value)}, not true or false`);
    return value;
  }

  text(field: string, least = 0, most = maxTextLength): string {
    const value = this.#take(field);
    if (typeof value !== 'string' || value.length < least || value.length > most) {
      throw this.#fault(field, `is ${shown(value)}, not a text of ${least} to ${most} characters`);
    }
    return value;
  }

  /** 32 lower-case hex digits. */
  hexId(field: string): string {
    const value = this.#take(field);
    if (typeof value !== 'string' || !hexIdPattern.test(value)) {
      throw this.#fault(field, `is ${shown(value)}, not 32 lower-case hex digits`);
    }
    return value;
  }

  producer(field: string): ProducerId {
    return this.hexId(field) as ProducerId;
  }

  bytes(field: string): Uint8Array {
    const value = this.#take(field);
    if (!(value instanceof Uint8Array)) throw this.#fault(field, `is ${shown(value)}, not binary`);
    return value;
  }

  /** One of `choices`, by its index. */
  choice<T>(field: string, choices: readonly T[]): T {
    return choices[this.integer(field, 0, choices.length - 1)]!;
  }

  /** One of `choices`, by its text. */
  word<T extends string>(field: string, choices: readonly T[]): T {
    const value = this.text(field);
    if (!(choices as readonly string[]).includes(value)) {
      throw this.#fault(field, `is ${shown(value)}, not one of ${choices.join(', ')}`);
    }
    return value as T;
  }

  nil(field: string): void {
    const value = this.#take(field);
    if (value !== null) throw this.#fault(field, `is ${shown(value)}, not nil`);
  }

  /** What `read` reads, or undefined where nil stands. */
  optional<T>(read: (fields: this) => T): T | undefined {
    if (this.#values[this.#next] === null) {
      this.#next++;
      return undefined;
    }
    return read(this);
  }

  /** An array of arrays, each read to its end. */
  list<T>(field: string, read: (fields: Fields) => T): T[] {
    return this.#array(field).map((item, index) => {
      const path = `${this.#path}.${field}[${index}]`;
      if (!Array.isArray(item)) throw new TabaError('bad_framing', `${path} is ${shown(item)}, not an array`);
      const fields = new Fields(item, path);
      const value = read(fields);
      fields.end();
      return value;
    });
  }

  /** An array of integers from 0. */
  integers(field: string): number[] {
    const values = this.#array(field);
    const fields = new Fields(values, `${this.#path}.${field}`);
    return values.map((_, index) => fields.integer(String(index)));
  }

  /** An array of texts. */
  texts(field: string, most = maxTextLength): string[] {
    const values = this.#array(field);
    const fields = new Fields(values, `${this.#path}.${field}`);
    return values.map((_, index) => fields.text(String(index), 0, most));
  }

  #array(field: string): readonly Packed[] {
    const value = this.#take(field);
    if (!Array.isArray(value)) throw this.#fault(field, `is ${shown(value)}, not an array`);
    return value;
  }

  /** Throws unless every field was taken. */
  end(): void {
    const left = this.#values.length - this.#next;
    if (left > 0) throw new TabaError('bad_framing', `${this.#path} has ${left} fields too many`);
  }
}

function shown(value: Packed): string {
  if (value instanceof Uint8Array) return `binary of ${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return String(value);
}
