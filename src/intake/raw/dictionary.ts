import { TabaError } from '../../core/errors.js';
import type { HandlerRegistry } from '../../core/handlers/registry.js';
import type { TabName, TabType } from '../../core/ids.js';
import type { Limits } from '../../core/limits.js';
import type { TabDefinition } from '../../wire/frame.js';
import { allowedTab, type NameRules } from '../allowed-names.js';
import { faultMessage } from '../fault.js';

/** A tab that a number stands for. */
export interface DefinedTab {
  readonly name: TabName;
  readonly type: TabType;
}

export interface DictionaryOptions extends NameRules {
  readonly registry: HandlerRegistry;
  readonly limits: Pick<Limits, 'maxNameBytes' | 'maxTabs'>;
}

/** What the names of all connections of a node may take up, with what is kept beside each. */
const maxBytes = 64 * 2 ** 20;
const bytesBeside = 128;

/** Room for definitions, shared by all connections of a node. */
export class DictionaryRoom {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether there is room, which is taken then */
  tryTake(bytes: number): boolean {
    if (this.#bytes + bytes > maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * What numbers stand for on one connection. A definition that cannot be used is remembered as the fault of all events under its
 * number: the sender hears of it where it hears of events.
 */
export class TabDictionary {
  readonly #options: DictionaryOptions;
  readonly #room: DictionaryRoom;
  readonly #tabs = new Map<number, { readonly given: TabDefinition; readonly tab: DefinedTab | TabaError }>();
  #bytes = 0;
  #isFull = false;

  constructor(room: DictionaryRoom, options: DictionaryOptions) {
    this.#room = room;
    this.#options = options;
  }

  /** @throws TabaError `bad_framing` where a number stands for another tab already: a repeat would count for the wrong one */
  define(definitions: readonly TabDefinition[]): void {
    for (const given of definitions) {
      const { id, name, type } = given;
      const before = this.#tabs.get(id)?.given;
      if (before === undefined) this.#add(given);
      else if (before.name !== name || before.type !== type) {
        throw new TabaError('bad_framing', `tab ${id} was defined as another one over this connection`);
      }
    }
  }

  /** The tab, or why there is none. */
  get(id: number): DefinedTab | TabaError {
    const known = this.#tabs.get(id);
    if (known !== undefined) return known.tab;
    return this.#isFull
      ? new TabaError('too_many_tabs', 'more tabs are defined over connections than are allowed to be')
      : new TabaError('bad_event', `tab ${id} is not defined over this connection`);
  }

  /** The connection is gone. */
  clear(): void {
    this.#tabs.clear();
    this.#room.giveBack(this.#bytes);
    this.#bytes = 0;
  }

  #add(given: TabDefinition): void {
    const { name, type } = given;
    const bytes = name.length + type.length + bytesBeside;
    if (this.#tabs.size >= this.#options.limits.maxTabs || !this.#room.tryTake(bytes)) {
      this.#isFull = true;
      return;
    }
    this.#bytes += bytes;
    this.#tabs.set(given.id, { given, tab: this.#checked(name, type) });
  }

  #checked(text: string, type: string): DefinedTab | TabaError {
    try {
      return { name: allowedTab(text, this.#options), type: this.#typeOf(type) };
    } catch (error) {
      if (error instanceof TabaError) return new TabaError(error.code, faultMessage(error, text));
      throw error;
    }
  }

  #typeOf(text: string): TabType {
    const handler = this.#options.registry.get(text);
    if (handler === undefined) {
      const shown = JSON.stringify(text.slice(0, 100));
      throw new TabaError('unknown_type', `no handler for the tab type ${shown}`);
    }
    if (handler.foldGathered === undefined) {
      throw new TabaError('bad_value', `a ${handler.type} is not made of numbers alone`);
    }
    return handler.type;
  }
}
