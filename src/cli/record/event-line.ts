/**
 * Events as a person writes them, turned into the JSON that /events takes.
 *
 * A line is either NDJSON as for /events (it begins with `{`), or `NAME VALUE [TYPE] [SECONDS]`, separated by blanks or
 * tabs. Values stay the text that was written, digit for digit: `1.10` does not become `1.1` on the way.
 */
export interface EventDefaults {
  readonly type: string;
  readonly client?: string;
  readonly timestamp?: string;
  readonly expiry?: string;
}

/** An event as JSON text, or what is wrong with the line. */
export type EventLine = { readonly json: string } | { readonly fault: string };

const jsonNumber = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** Types whose values are texts, even where they look like numbers: the gauge `1.10` is not the gauge `1.1`. */
const textTypes: ReadonlySet<string> = new Set(['Gauge', 'ExpiryGauge', 'Buffer', 'UniqueCounter']);

/** undefined for a line without content (blank, or a `#` comment). */
export function eventLine(line: string, defaults: EventDefaults): EventLine | undefined {
  const trimmed = line.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return undefined;
  if (trimmed.startsWith('{')) return jsonLine(trimmed, defaults);
  const [name = '', value, type, seconds, ...rest] = trimmed.split(/[ \t]+/);
  if (value === undefined) return { fault: 'a value is missing: NAME VALUE [TYPE] [SECONDS]' };
  if (rest.length > 0) return { fault: `${4 + rest.length} fields, at most 4: NAME VALUE [TYPE] [SECONDS]` };
  return textEvent(name, value, {
    ...defaults,
    ...(type && { type }),
    ...(seconds && { timestamp: seconds }),
  });
}

export function textEvent(name: string, value: string, event: EventDefaults): EventLine {
  const { type, client, timestamp, expiry } = event;
  const fields = [`"name":${JSON.stringify(name)}`, `"type":${JSON.stringify(type)}`];
  fields.push(`"value":${!textTypes.has(type) && jsonNumber.test(value) ? value : JSON.stringify(value)}`);
  if (client !== undefined) fields.push(`"client":${JSON.stringify(client)}`);
  for (const [field, seconds] of Object.entries({ timestamp, expiry })) {
    if (seconds === undefined) continue;
    if (!jsonNumber.test(seconds))
      return { fault: `${field} ${JSON.stringify(seconds)} is not a number of seconds` };
    fields.push(`"${field}":${seconds}`);
  }
  return { json: `{${fields.join(',')}}` };
}

/** The line as it is, with what the command line says put in where the line says nothing itself. */
function jsonLine(line: string, defaults: EventDefaults): EventLine {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    return { fault: `not JSON: ${(error as Error).message}` };
  }
  const missing: string[] = [];
  for (const [field, value] of Object.entries(defaults)) {
    if (value === undefined || Object.hasOwn(event as object, field)) continue;
    const isSeconds = field === 'timestamp' || field === 'expiry';
    if (isSeconds && !jsonNumber.test(value))
      return { fault: `${field} ${JSON.stringify(value)} is not a number of seconds` };
    missing.push(`"${field}":${isSeconds ? value : JSON.stringify(value)}`);
  }
  const isEmpty = Object.keys(event as object).length === 0;
  return { json: missing.length === 0 ? line : `{${missing.join(',')}${isEmpty ? '' : ','}${line.slice(1)}` };
}
