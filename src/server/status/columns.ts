/** Rows below each other in aligned columns, for people: text to the left, figures to the right. */
export function columns(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const isFigure = header.map(
    (_, at) => rows.length > 0 && rows.every((row) => /^\d+(\.\d+)?( .*)?$/.test(String(row[at]))),
  );
  const lines = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) => {
      const cells = line.map((cell, at) =>
        isFigure[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!),
      );
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** `name  value`, a line each, the values below each other. */
export function named(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${`${name.padEnd(width)}  ${value}`.trimEnd()}\n`).join('');
}
