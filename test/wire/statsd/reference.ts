import { nameEscapeBytes, nameWithPairs, tagEscapeBytes } from '../../../src/core/names.js';

/** What the scanner should find, worked out in the plainest way there is: strings, splits and expressions. Texts as Collector's. */
export function reference(packet: Uint8Array): string[] {
  return latin1(packet)
    .split('\n')
    .flatMap((line) => ofLine(line.replace(/\r$/, '')));
}

function ofLine(line: string): string[] {
  if (line === '') return [];
  if (line.startsWith('_e{')) return [isEvent(line) ? '(event)' : '!bad_event'];
  if (line.startsWith('_sc|'))
    return [/^_sc\|[^|]+\|[0-3](\||$)/s.test(line) ? '(service_check)' : '!bad_event'];
  const colon = line.indexOf(':');
  if (colon < 0) return ['!bad_event'];
  if (colon === 0) return ['!bad_name'];
  const name = line.slice(0, colon);
  const rest = line.slice(colon + 1);
  const pipe = rest.indexOf('|');
  if (pipe < 0) return ['!bad_event'];
  const value = rest.slice(0, pipe);
  const [kind = '', ...fields] = rest.slice(pipe + 1).split('|');
  if (!['c', 'g', 'ms', 'h', 'd', 's'].includes(kind)) return ['!bad_event'];
  let weight = 1;
  let time = '';
  let tags = '';
  for (const field of fields) {
    if (field === '' || /^[a-z]+:/.test(field)) continue;
    if (field.startsWith('#') && tags === '') {
      tags = field.slice(1);
    } else if (field.startsWith('@')) {
      const rate = numberOf(field.slice(1));
      weight = 1 / rate;
      if (!(rate > 0 && rate <= 1 && weight < Number.POSITIVE_INFINITY)) return ['!bad_event'];
    } else if (field.startsWith('T')) {
      const seconds = numberOf(field.slice(1));
      if (!(seconds >= 0)) return ['!bad_timestamp'];
      time = ` @${seconds}`;
    } else return ['!bad_event'];
  }
  const tab = tabOf(name, tags);
  if (tab === undefined) return ['!bad_name'];
  const times = kind === 'g' || weight === 1 ? '' : ` x${weight}`;
  if (kind === 's') {
    const text = Buffer.from(value, 'latin1').toString();
    return value === '' ? ['!bad_value'] : [`${tab} s ${text}${times}${time}`];
  }
  return value.split(':').map((text) => {
    const number = numberOf(text);
    if (Number.isNaN(number)) return '!bad_value';
    const change = kind === 'g' && /^[+-]/.test(text) ? '±' : '';
    return `${tab} ${kind} ${change}${number}${times}${time}`;
  });
}

function isEvent(line: string): boolean {
  const match = /^_e\{(\d+),(\d+)\}:/.exec(line);
  if (match === null || Number(match[1]) === 0) return false;
  const body = line.slice(match[0].length);
  const textEnd = Number(match[1]) + 1 + Number(match[2]);
  return body[Number(match[1])] === '|' && body.length >= textEnd && [undefined, '|'].includes(body[textEnd]);
}

function tabOf(name: string, tags: string): string | undefined {
  if (name.includes('|') || name.length + tags.length > 8192) return undefined;
  const [plain = '', separator = '', inName = ''] = name.split(/([;,#])(.*)/s);
  if (plain === '') return undefined;
  const pairs = [
    ...inName.split(separator === ';' ? ';' : ',').map((tag) => pairOf(tag, '=')),
    ...tags.split(',').map((tag) => pairOf(tag, ':')),
  ];
  return nameWithPairs(escaped(plain, nameEscapeBytes), new Set(pairs.filter((pair) => pair !== '')));
}

function pairOf(tag: string, assign: string): string {
  const at = tag.indexOf(assign);
  const inTab = (text: string) => escaped(text, tagEscapeBytes);
  return at < 0 ? inTab(tag) : `${inTab(tag.slice(0, at))}=${inTab(tag.slice(at + 1))}`;
}

function escaped(text: string, escapeBytes: typeof nameEscapeBytes): string {
  const bytes = Buffer.from(text, 'latin1');
  return escapeBytes(bytes, 0, bytes.length);
}

function numberOf(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number.NaN;
  const number = Number(text) + 0;
  return Number.isFinite(number) ? number : Number.NaN;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
