/** The table of all variables, as DEPLOYMENT.md shows it between its markers. */
import { CONFIG_VARIABLES } from './variables.js';

export function describeConfig(): string {
  const rows = Object.entries(CONFIG_VARIABLES).map(([name, { shownFallback, accepts, meaning }]) =>
    row([`\`${name}\``, shownFallback, meaning, accepts]),
  );
  return [row(['Variable', 'Default', 'Meaning', 'Accepted']), row(['---', '---', '---', '---']), ...rows].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
