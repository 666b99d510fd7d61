/**
 * What the demo prints: one aligned line for each thing that crossed nodes.
 *
 * Colour is for terminals only, and sparing: a line must read the same in a log file. Not here: deciding what is true.
 */
const TITLE_WIDTH = 14;
const ROUTE_WIDTH = 13;

const coloured = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';
const paint =
  (code: number) =>
  (text: string): string =>
    coloured ? `\u001b[${code}m${text}\u001b[0m` : text;

export const bold = paint(1);
export const dim = paint(2);
export const green = paint(32);
export const red = paint(31);

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Cells of one width per column; the last column runs free. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  rows.forEach((row, index) => {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    print(`  ${index === 0 ? dim(line.trimEnd()) : line.trimEnd()}`);
  });
}

/** One thing that was claimed and found true. `route`: the nodes it touched, in order. */
export function printFact(title: string, route: readonly string[], text: string): void {
  const where = route.join(' → ').padEnd(ROUTE_WIDTH);
  print(`  ${green('ok')}  ${title.padEnd(TITLE_WIDTH)}  ${bold(where)}  ${text}`);
}
