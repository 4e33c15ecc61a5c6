const reset = '\u001b[0m';
const dim = '\u001b[2m';
const colourOf: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

/** A JSON log line as people like to read it: time, level, event, then `name=value` fields; a stack on lines of its own. */
export function prettyLine(line: string, colours: boolean): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { time, level, event, ...fields } = entry;
  const stacks: string[] = [];
  const words = Object.entries(fields).map(([name, value]) => {
    const error = asError(value);
    if (error?.stack !== undefined) stacks.push(error.stack);
    return `${paint(`${name}=`, dim, colours)}${shown(error === undefined ? value : error.message)}`;
  });
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const label = paint(String(level).padEnd(5), colourOf[String(level)] ?? '', colours);
  const head = `${paint(clock, dim, colours)} ${label} ${[String(event), ...words].join(' ')}`;
  return `${[head, ...stacks.map((stack) => stack.replace(/^/gm, '    '))].join('\n')}\n`;
}

function asError(value: unknown): { message: string; stack?: string } | undefined {
  if (typeof value !== 'object' || value === null || !('message' in value) || !('stack' in value))
    return undefined;
  const { message, stack } = value;
  return { message: String(message), ...(typeof stack === 'string' ? { stack } : {}) };
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? String(value);
}

function paint(text: string, colour: string, colours: boolean): string {
  return colours && colour !== '' ? `${colour}${text}${reset}` : text;
}
