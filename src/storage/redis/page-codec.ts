import type { ClientId, Position, ProducerId, Seq, TabName, TabType } from '../../core/ids.js';
import type { PageInfo, PageKey, ProducerRow, SetAsideKey } from '../store.js';

/** Field of a page in its bucket's hashes; names have no line feed, so it is injective. */
export function pageField({ tab, client }: PageKey): string {
  return `${tab}\n${client}`;
}

/** @param known "position type", as the index has it */
export function pageFacts(known: string): { readonly position: Position; readonly type: TabType } {
  const at = known.indexOf(' ');
  return { position: Number(known.slice(0, at)) as Position, type: known.slice(at + 1) as TabType };
}

/** @param text fields and values of the index, a line feed between: tab, client, "position type", … */
export function parseIndex(text: string): PageInfo[] {
  const pages: PageInfo[] = [];
  if (text === '') return pages;
  const lines = text.split('\n');
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const [tab, client] = [lines[at] as TabName, lines[at + 1] as ClientId | ''];
    pages.push({ tab, client, ...pageFacts(lines[at + 2]!) });
  }
  return pages;
}

/** @param text producer, "birthMs lastSeq lastAtMs", … */
export function parseProducers(text: string): ProducerRow[] {
  const rows: ProducerRow[] = [];
  if (text === '') return rows;
  const lines = text.split('\n');
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [birthMs, lastSeq, lastAtMs] = lines[at + 1]!.split(' ').map(Number) as [number, number, number];
    rows.push({ producer: lines[at] as ProducerId, birthMs, lastSeq: lastSeq as Seq, lastAtMs });
  }
  return rows;
}

/** @param text position, tab, client, … of everything set aside; what lies at or below `trimmed` is history */
export function parseAsideKeys(text: string, trimmed: Position): SetAsideKey[] {
  const keys: SetAsideKey[] = [];
  if (text === '') return keys;
  const lines = text.split('\n');
  for (let at = 0; at + 2 < lines.length; at += 3) {
    const position = Number(lines[at]) as Position;
    if (position <= trimmed) continue;
    keys.push({ position, tab: lines[at + 1] as TabName | '', client: lines[at + 2] as ClientId | '' });
  }
  return keys;
}
